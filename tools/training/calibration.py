"""Calibration: the softmax temperature `tau` that makes a branch as sure as it is right."""

import torch
from torch import Tensor

from tools.training.losses import NOTHING, cross_entropy


def fit_tau(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the `tau` [] that minimises the cross-entropy of logits / tau (Guo et al. 2017).

    Args:
        logits: float32 [N, labels], of samples that were not trained on.
        labels: int64 [N]; samples of `NOTHING` are left out.
    """
    known = labels != NOTHING
    logits, labels = logits[known].double(), labels[known]
    low, high = torch.tensor(-2.5), torch.tensor(2.5)  # the logarithm of tau, convex enough
    shrink = (5.0**0.5 - 1.0) / 2.0
    while high - low > 1e-4:
        left = high - shrink * (high - low)
        right = low + shrink * (high - low)
        worse_left = cross_entropy(logits / left.exp(), labels) > cross_entropy(
            logits / right.exp(), labels
        )
        low, high = (left, high) if worse_left else (low, right)
    return ((low + high) / 2).exp().float()


def expected_calibration_error(logits: Tensor, labels: Tensor, bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy over equal bins of confidence."""
    confidence, answer = torch.softmax(logits, 1).max(1)
    right = (answer == labels).float()
    place = (confidence * bins).long().clamp(max=bins - 1)
    gap = torch.zeros(bins).index_add_(0, place, confidence - right)
    return float(gap.abs().sum() / len(labels))
