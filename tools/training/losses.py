"""Losses: a small function each."""

import torch
from torch import Tensor
from torch.nn import functional as F

NOTHING = -1
"""The label of a sample that shows or says nothing: all answers are equally likely."""


def targets(labels: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
    """Return float32 [N, classes] of target probabilities, uniform where a label is `NOTHING`.

    Args:
        labels: int64 [N].
        classes: number of labels.
        smoothing: probability that is spread over all classes (Szegedy et al. 2016).
    """
    nothing = (labels == NOTHING)[:, None]
    certain = F.one_hot(labels.clamp(min=0), classes).float()
    uniform = torch.full_like(certain, 1.0 / classes)
    return torch.where(nothing, uniform, certain + smoothing * (uniform - certain))


def cross_entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy [] of logits [N, classes] against `targets`."""
    wanted = targets(labels, logits.shape[1], smoothing)
    return -(wanted * F.log_softmax(logits, 1)).sum(1).mean()
