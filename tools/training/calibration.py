"""Calibration: the softmax temperature `tau` that makes a branch as sure as it is right."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tools.networks.student import OUTPUTS, Students
from tools.training.losses import NOTHING, cross_entropy
from tools.training.pools import Drawn, Pools


def fit_tau(logits: Tensor, labels: Tensor, doubt: float = 0.0) -> Tensor:
    """Return the `tau` [] that minimises the cross-entropy of logits / tau (Guo et al. 2017).

    Args:
        logits: float32 [N, labels], of samples that were not trained on.
        labels: int64 [N]; samples of `NOTHING` are left out.
        doubt: probability that is spread over all classes. Where samples are few, all of them may
            be right by chance, and no certainty would be too much (Platt 1999).
    """
    known = labels != NOTHING
    logits, labels = logits[known].double(), labels[known]
    low, high = torch.tensor(-2.5), torch.tensor(2.5)  # the logarithm of tau, convex enough
    shrink = (5.0**0.5 - 1.0) / 2.0
    while high - low > 1e-4:
        left = high - shrink * (high - low)
        right = low + shrink * (high - low)
        worse_left = cross_entropy(logits / left.exp(), labels, doubt) > cross_entropy(
            logits / right.exp(), labels, doubt
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


@dataclass(frozen=True)
class Calibration:
    """What calibrating one output came to.

    Attributes:
        output: which of `OUTPUTS`.
        tau: the softmax temperature.
        error_before: expected calibration error without it.
        error_after: expected calibration error with it.
    """

    output: str
    tau: float
    error_before: float
    error_after: float


def calibrate_outputs(
    students: Students, pools: Pools, pairs: Drawn, doubt: float = 0.0, batch: int = 500
) -> list[Calibration]:
    """Set the `tau` of every output from validation pairs, and say what it came to.

    Args:
        students: in place.
        pools: validation pictures and sounds.
        pairs: which of them.
        doubt: as for `fit_tau`.
        batch: pairs at a time.
    """
    for output in OUTPUTS:
        students.tau(output).fill_(1.0)
    device = students.tau(OUTPUTS[0]).device
    logits: dict[str, list[Tensor]] = {output: [] for output in OUTPUTS}
    labels: dict[str, list[Tensor]] = {output: [] for output in OUTPUTS}
    students.eval()
    with torch.no_grad():
        for first in range(0, len(pairs.pictures), batch):
            rows = slice(first, first + batch)
            part = pools.batch(Drawn(pairs.pictures[rows], pairs.sounds[rows])).to(device)
            learnt = students.learn(part)
            for output in OUTPUTS:
                known = part.wanted(output) != NOTHING
                logits[output].append(learnt.outputs[output].logits[known].cpu())
                labels[output].append(part.wanted(output)[known].cpu())
    found = []
    for output in OUTPUTS:
        scores, wanted = torch.cat(logits[output]), torch.cat(labels[output])
        tau = fit_tau(scores, wanted, doubt)
        students.tau(output).copy_(tau)
        errors = [expected_calibration_error(some, wanted) for some in (scores, scores / tau)]
        before, after = (round(error, 5) for error in errors)
        found.append(Calibration(output, round(float(tau), 5), before, after))
    return found
