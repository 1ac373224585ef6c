"""Labelled inputs in memory, and batches of them in a seeded order."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tools.training.losses import NOTHING


@dataclass(frozen=True)
class Samples:
    """Inputs of one branch and their labels.

    Attributes:
        inputs: uint8 [N, rows, columns], 0 to 255.
        labels: int64 [N]; `NOTHING` where an input shows or says nothing.
    """

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int, generator: torch.Generator) -> Iterator["Samples"]:
        """Yield all samples once in random order, but for a last incomplete batch."""
        order = torch.randperm(len(self), generator=generator)
        for start in range(0, len(self) - size + 1, size):
            chosen = order[start : start + size]
            yield Samples(self.inputs[chosen], self.labels[chosen])

    def parts(self, size: int) -> Iterator["Samples"]:
        """Yield all samples in order, `size` at a time, the last part shorter."""
        for start in range(0, len(self), size):
            yield Samples(self.inputs[start : start + size], self.labels[start : start + size])


def samples(inputs: NDArray[np.uint8], labels: NDArray[np.integer]) -> Samples:
    """Wrap uint8 [N, rows, columns] and integers [N]; an all-black input becomes `NOTHING`."""
    tensor = torch.from_numpy(np.ascontiguousarray(inputs))
    wanted = torch.from_numpy(labels.astype(np.int64))
    absent = tensor.flatten(1).amax(1) == 0
    return Samples(tensor, torch.where(absent, NOTHING, wanted))


def joined(*all_samples: Samples) -> Samples:
    """Return all samples one after another."""
    return Samples(
        torch.cat([some.inputs for some in all_samples]),
        torch.cat([some.labels for some in all_samples]),
    )


def tensors(inputs: Tensor) -> Tensor:
    """Scale uint8 [N, rows, columns] to the branch's float32 [N, rows, columns, 1] in 0 to 1."""
    return inputs.float().div_(255.0).unsqueeze(3)
