"""What a model answers to every pair of a data set, as file and as network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edge_daemon.inference.bundle import TierSpec
from edge_daemon.inference.interpreter import Interpreter
from tools.dataset import Dataset
from tools.networks.student import Student
from tools.training.samples import tensors

NETWORK_BATCH = 500


@dataclass(frozen=True)
class Pairs:
    """The inputs of one tier, one row for each picture of a data set.

    Attributes:
        images: uint8 [N, H, W].
        sounds: uint8 [N, columns, bands]; None for a tier that does not listen.
        labels: int64 [N].
        groups: int64 [N]: the recording, or where there is no sound, the picture.
    """

    images: NDArray[np.uint8]
    sounds: NDArray[np.uint8] | None
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def pairs_for(spec: TierSpec, dataset: Dataset) -> Pairs:
    """Cut the inputs that a tier takes out of a data set."""
    pictures, sounds = dataset.pictures, dataset.sounds
    images = pictures.images28 if spec.inputs.image.height == 28 else pictures.images14
    labels = pictures.labels.astype(np.int64)
    if spec.inputs.audio is None:
        return Pairs(images, None, labels, np.arange(len(labels)))
    heard = sounds.columns[dataset.pairs, : spec.inputs.audio.columns]
    return Pairs(images, heard, labels, recordings(dataset))


def recordings(dataset: Dataset) -> NDArray[np.int64]:
    """Return the recording [N] of each pair; a picture without one is a group of its own."""
    clips = dataset.sounds.clips[dataset.pairs].astype(np.int64)
    return np.where(clips < 0, -1 - np.arange(len(clips)), clips)


def model_logits(
    interpreter: Interpreter, pairs: Pairs, advance: Callable[[], None] = lambda: None
) -> NDArray[np.float32]:
    """Run the model file on every pair and return float32 [N, labels].

    Args:
        interpreter: holds the model.
        pairs: its inputs.
        advance: called after each pair.
    """
    rows = []
    for index in range(len(pairs)):
        inputs = {"image": tensor(pairs.images[index])}
        if pairs.sounds is not None:
            inputs["audio"] = tensor(pairs.sounds[index])
        rows.append(interpreter.run(inputs)["logits"][0])
        advance()
    return np.stack(rows)


def network_logits(student: Student, pairs: Pairs) -> NDArray[np.float32]:
    """Run the float network on every pair and return float32 [N, labels]."""
    student.eval()
    parts = []
    for start in range(0, len(pairs), NETWORK_BATCH):
        rows = slice(start, start + NETWORK_BATCH)
        sounds = None if pairs.sounds is None else tensors(torch.from_numpy(pairs.sounds[rows]))
        with torch.no_grad():
            parts.append(student(tensors(torch.from_numpy(pairs.images[rows])), sounds).numpy())
    return np.concatenate(parts)


def tensor(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return float32 [1, rows, columns, 1] in 0 to 1 of uint8 [rows, columns]."""
    return values[None, :, :, None].astype(np.float32) * np.float32(1.0 / 255.0)
