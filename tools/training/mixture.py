"""What the shipped bundle is trained on: live and clean samples of every branch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tools.dataset import Dataset
from tools.training.losses import NOTHING
from tools.training.samples import Samples, joined, samples


@dataclass(frozen=True)
class Views:
    """The samples of each branch.

    Attributes:
        images28: pictures of 28 × 28 pixels.
        images14: pictures of 14 × 14 pixels.
        spectrograms: sounds as [columns, bands].
    """

    images28: Samples
    images14: Samples
    spectrograms: Samples


def views(*datasets: Dataset) -> Views:
    """Return the pools of one or more protocols together, unpaired."""
    pictures = [dataset.pictures for dataset in datasets]
    sounds = [dataset.sounds for dataset in datasets]
    return Views(
        joined(*(samples(some.images28, some.labels) for some in pictures)),
        joined(*(samples(some.images14, some.labels) for some in pictures)),
        joined(*(samples(some.columns, some.labels) for some in sounds)),
    )


def drop_some(
    inputs: Tensor, labels: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Black out a share of a batch and label it `NOTHING`: the modality is absent.

    Args:
        inputs: float32 [N, rows, columns, 1].
        labels: int64 [N].
        share: of the batch.
        generator: the source of the random numbers.
    """
    absent = torch.rand(len(labels), generator=generator) < share
    kept = (~absent).float()[:, None, None, None]
    return inputs * kept, torch.where(absent, NOTHING, labels)
