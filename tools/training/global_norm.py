"""Batch normalisation over the batch of all processes that train together."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tools.training.distributed import count, gathered


class GlobalNorm(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of all processes' rows, as many of each.

    `torch.nn.SyncBatchNorm` does this on GPUs alone.

    Args:
        norm: whose weights and running statistics this one uses and moves.
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum)
        self.weight, self.bias = norm.weight, norm.bias
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, C, H, W] of this process to the same shape."""
        if not self.training:
            return super().forward(x)
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        means, variances = gathered(torch.stack((mean, variance))[None]).unbind(1)
        centre = means.mean(0)
        # The law of total variance: nothing cancels, as it would in a sum of squares.
        variance = (variances + (means - centre).square()).mean(0)
        self.move(centre.detach(), variance.detach(), count() * x.numel() // len(centre))
        scale = self.weight * (variance + self.eps).rsqrt()
        return x * scale[:, None, None] + (self.bias - centre * scale)[:, None, None]

    def move(self, mean: Tensor, variance: Tensor, values: int) -> None:
        """Move the running statistics towards those of a batch of so many values a channel."""
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (values / (values - 1)), self.momentum)
        self.num_batches_tracked.add_(1)


@contextmanager
def normalised_globally(network: nn.Module) -> Iterator[None]:
    """Let a network's batch normalisation see all processes' rows; one process's stays as it is.

    Parameters, statistics and their names in a checkpoint are the same before, within and after.
    """
    norms = [
        (parent, name, child)
        for parent in (network.modules() if count() > 1 else ())
        for name, child in parent.named_children()
        if isinstance(child, nn.BatchNorm2d)
    ]
    for parent, name, norm in norms:
        setattr(parent, name, GlobalNorm(norm))
    try:
        yield
    finally:
        for parent, name, norm in norms:
            norm.train(getattr(parent, name).training)
            setattr(parent, name, norm)
