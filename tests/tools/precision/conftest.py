"""One small network, lowered and quantised once: a conversion takes seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from edge_daemon.tier import Tier
from tools.export.lower import lower
from tools.export.quantise import Inputs
from tools.networks.fold import folded
from tools.networks.student import Students
from tools.networks.visual import VisualBranch
from tools.precision.layers import Layer, weighted_layers
from tools.precision.mixed import quantise_mixed

NARROW = "visual.blocks.0.pointwise.conv"
"""The layer that has 4 bits in `Small.mixed`."""


@dataclass(frozen=True)
class Small:
    """A visual student as network, as float model, and with int8 and with mixed weights."""

    network: nn.Module
    float_model: bytes
    layers: Sequence[Layer]
    samples: Sequence[Inputs]
    int8: bytes
    mixed: bytes


@pytest.fixture(scope="session")
def small() -> Small:
    torch.manual_seed(0)
    students = Students()
    students.visual_28 = VisualBranch(28, (8, 12, 12), (2, 2))
    # Running statistics that are not 0 and 1, so that folding them changes the weights.
    students.train()
    with torch.no_grad():
        for _ in range(5):
            students.visual_28(torch.rand(64, 28, 28, 1))
    student = students.tier(Tier.LOW).eval()
    float_model = lower(student)
    network = folded(student)
    layers = weighted_layers(network, float_model)
    random = np.random.default_rng(0)
    samples = [{"image": random.random((1, 28, 28, 1), np.float32)} for _ in range(32)]
    return Small(
        network,
        float_model,
        layers,
        samples,
        quantise_mixed(float_model, samples, layers, {}),
        quantise_mixed(float_model, samples, layers, {NARROW: 4}),
    )
