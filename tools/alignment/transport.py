"""Optimal transport between the stages of two networks."""

from collections.abc import Sequence

import numpy as np
import ot
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

LEAST_SQUARE = 1e-12
"""Added to a squared length, so that a vector of zeros has a gradient."""

LEAST_COST = 0.2
"""Least cost, in means, that is told apart: a stage that cost nothing would weigh everything."""


def stage_distances(projected: Tensor, taught: Sequence[Tensor], rows: Tensor) -> Tensor:
    """Return the distances [S, T] of every student stage from every teacher stage.

    The squared distance 2 − 2 · cosine of the vectors at a place, each of length 1, averaged over
    places and samples: 0 for the same direction everywhere, 2 for unrelated ones, whatever their
    widths.

    Args:
        projected: S student stages, each mapped to the widths C_t of all T teacher stages one
            after another, float32 [S, N, places, sum of C_t].
        taught: the teacher's stages, [N, C_t, places] each.
        rows: bool [N], the samples that count; without any, all distances are 0.
    """
    stacked = [F.normalize(stage, dim=1).transpose(1, 2) for stage in taught]
    units = torch.cat(stacked, 2).contiguous()
    belongs = torch.block_diag(*(projected.new_ones(stage.shape[1], 1) for stage in taught))
    dots = (projected * units) @ belongs
    lengths = (projected.square() @ belongs + LEAST_SQUARE).sqrt()
    share = rows.float() / (rows.sum().clamp(min=1) * projected.shape[2])
    return torch.einsum("snpt,n->st", 2.0 - 2.0 * dots / lengths, share)


def flow(
    distances: NDArray[np.float64], student: NDArray[np.float64], teacher: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the cheapest flow [S, T] with the given margins (the exact linear program).

    Args:
        distances: float64 [S, T].
        student: what each student stage gives, float64 [S], of sum 1.
        teacher: what each teacher stage takes, float64 [T], of sum 1.
    """
    cheapest: NDArray[np.float64] = ot.emd(student, teacher, distances)
    return cheapest


def reweighted(weights: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights [S] of sum 1 that favour the stages whose transport is cheap.

    "Cost attention" of BERT-EMD (Li et al. 2020): the softmax of the ratio between the cost of
    all stages and a stage's own, each per unit of weight. The softmax's `tau` is the number of
    stages here, so that weights are equal where costs are, whatever the costs' unit, and a stage
    of half the mean cost weighs e times as much as one of the mean.

    Args:
        weights: by which the flow was found, float64 [S], all > 0.
        costs: what each stage's transport cost, float64 [S], all ≥ 0.
    """
    unit = costs / weights
    ratio = unit.mean() / np.maximum(unit, LEAST_COST * unit.mean() + np.finfo(float).tiny)
    raised = np.exp(ratio - ratio.max())
    return raised / raised.sum()
