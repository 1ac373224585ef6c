"""How much a layer matters: what it costs to keep its weights with few bits.

Two estimates with one signature's worth of difference. Fisher's looks at the loss and needs
labels; the other looks at the logits alone. Neither sees that errors of several layers may cancel
or add up: both are summed over layers as if they did neither.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from tools.precision.rounding import rounded

Significance = Mapping[str, Mapping[int, float]]
"""Layer → bits → what is lost. Comparable among layers and bits of one estimate only."""

AT_ONCE = 32
"""Samples whose gradients are held in memory together."""


def fisher_significance(
    network: nn.Module,
    inputs: Sequence[Tensor],
    labels: Tensor,
    layers: Iterable[str],
    bits: Sequence[int],
) -> dict[str, dict[int, float]]:
    """Return the expected rise of the cross-entropy, ½ Σ F·Δ², for each layer at each width.

    F is the diagonal of the empirical Fisher information: the mean over samples of the squared
    gradient (LeCun et al. 1990; Theis et al. 2018). Δ is what rounding changes of a weight.

    Args:
        network: maps `inputs` to logits [N, labels]; in evaluation mode.
        inputs: float32 [N, ...] each.
        labels: int64 [N].
        layers: names of modules with a `weight`.
        bits: the widths to look at.
    """
    names = [f"{name}.weight" for name in layers]
    weights = {name: network.get_parameter(name).detach() for name in names}

    def loss(some: dict[str, Tensor], label: Tensor, *sample: Tensor) -> Tensor:
        logits = functional_call(network, some, tuple(part[None] for part in sample))
        return -torch.log_softmax(logits[0], 0).gather(0, label[None])[0]

    gradients = vmap(grad(loss), in_dims=(None, 0, *(0 for _ in inputs)))
    squares = {name: torch.zeros_like(some) for name, some in weights.items()}
    for start in range(0, len(labels), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        found = gradients(weights, labels[part], *(some[part] for some in inputs))
        for name, values in found.items():
            squares[name] += values.square().sum(0)
    return {
        name.removesuffix(".weight"): {
            width: 0.5
            * float((squares[name] * (rounded(some, width) - some).square()).sum().detach())
            / len(labels)
            for width in bits
        }
        for name, some in weights.items()
    }


def output_significance(
    network: nn.Module, inputs: Sequence[Tensor], layers: Iterable[str], bits: Sequence[int]
) -> dict[str, dict[int, float]]:
    """Return the mean squared change of the logits where only one layer's weights are rounded.

    Args:
        network: maps `inputs` to logits [N, labels]; in evaluation mode.
        inputs: float32 [N, ...] each, of calibration data; labels are not needed.
        layers: names of modules with a `weight`.
        bits: the widths to look at.
    """
    found: dict[str, dict[int, float]] = {}
    with torch.no_grad():
        exact = network(*inputs)
        for name in layers:
            weight = network.get_parameter(f"{name}.weight")
            found[name] = {}
            for width in bits:
                changed = {f"{name}.weight": rounded(weight, width)}
                logits = functional_call(network, changed, tuple(inputs))
                found[name][width] = float((logits - exact).square().mean())
    return found
