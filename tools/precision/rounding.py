"""What is left of a weight that gets few bits."""

import torch
from torch import Tensor


def rounded(weights: Tensor, bits: int) -> Tensor:
    """Return the values that the weights of a layer have after quantisation.

    Symmetric, with one scale an output channel, the largest magnitude being the largest integer:
    what TFLite's kernels ask for and the quantiser does (Jacob et al. 2018).

    Args:
        weights: float [out, ...].
        bits: of each weight, at least 2.
    """
    largest = 2 ** (bits - 1) - 1
    flat = weights.flatten(1)
    peak = flat.abs().amax(1, keepdim=True)
    scale = torch.where(peak > 0.0, peak / largest, torch.ones_like(peak))
    return (torch.round(flat / scale).clamp(-largest, largest) * scale).reshape(weights.shape)
