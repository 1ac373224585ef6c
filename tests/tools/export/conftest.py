"""One small network, converted once: a conversion takes seconds."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from edge_daemon.tier import Tier
from tools.export.calibration import calibration_inputs
from tools.export.lower import lower
from tools.export.quantise import quantise
from tools.generated import generated
from tools.networks.audio import AudioBranch
from tools.networks.student import Student, Students
from tools.networks.visual import VisualBranch
from tools.training.losses import cross_entropy
from tools.training.samples import tensors


@dataclass(frozen=True)
class Converted:
    """A student with both inputs, as network, as float model and as int8 model."""

    student: Student
    float_model: bytes
    int8_model: bytes


@pytest.fixture(scope="session")
def converted() -> Converted:
    torch.manual_seed(0)
    students = Students()
    # Smaller than the shipped ones, of the same parts, odd sizes and strides included.
    students.visual_28 = VisualBranch(28, (8, 12, 12), (2, 2))
    students.audio = AudioBranch(channels=(16, 16, 20), strides=(1, 2), prefix=40)
    dataset = generated(400, seed=5)
    images = tensors(torch.from_numpy(dataset.pictures.images28))
    sounds = tensors(torch.from_numpy(dataset.sounds.columns[dataset.pairs]))
    labels = torch.from_numpy(dataset.pictures.labels.astype(np.int64))
    student = students.tier(Tier.HIGH).train()
    optimiser = torch.optim.AdamW(student.parameters(), 1e-2)
    for step in range(64):
        part = slice(50 * (step % 8), 50 * (step % 8) + 50)
        loss = cross_entropy(student(images[part], sounds[part]), labels[part])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    float_model = lower(student.eval())
    samples = calibration_inputs(student, [dataset], 64, seed=0)
    return Converted(student, float_model, quantise(float_model, samples))
