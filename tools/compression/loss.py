"""The resource term of a training loss: how far a tier is over its budget."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tools.compression.budgets import Budget
from tools.compression.cost import Cost

ROUNDING = 0.1
"""Relative overshoot up to which the term is a parabola; above, it is a line of slope 1."""


def resource_loss(cost: Cost, budget: Budget, weights: Sequence[float] | Tensor) -> Tensor:
    """Return the weighted relative overshoot [] of a tier over its budget.

    Args:
        cost: of the tier, tensors [] with a gradient.
        budget: of the tier; a limit that is None counts as kept.
        weights: of MACs, bytes and latency, ≥ 0.

    Within the budget the loss and its gradient are 0: a network that fits is not made smaller.
    """
    spent = (cost.macs, cost.bytes, cost.latency_us)
    limits = (budget.macs, budget.bytes, budget.latency_us)
    terms = [
        weight * overshoot(torch.as_tensor(amount) / limit)
        for amount, limit, weight in zip(spent, limits, weights, strict=True)
        if limit is not None
    ]
    return torch.stack(terms).sum()


def overshoot(ratio: Tensor) -> Tensor:
    """Return by how much a ratio exceeds 1, smooth at 1 (the half of Huber 1964's function)."""
    over = torch.relu(ratio - 1.0)
    return torch.where(over < ROUNDING, over.square() / (2.0 * ROUNDING), over - ROUNDING / 2.0)
