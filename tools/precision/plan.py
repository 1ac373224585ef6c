"""The precisions of a student that are compared: int8, int4, and two mixtures between them."""

from collections.abc import Mapping, Sequence

from tools.precision.allocate import Allocation, Option, Options, least_bytes, least_loss
from tools.precision.layers import Layer
from tools.precision.mixed import widths
from tools.precision.significance import Significance


def options(layers: Sequence[Layer], significance: Significance) -> Options:
    """Return what each layer may have: bits, the bytes they take, what is predicted to be lost."""
    return {
        layer.name: [
            Option(bits, layer.bytes(bits), significance[layer.name][bits])
            for bits in widths(layer)
        ]
        for layer in layers
    }


def uniform(layers: Sequence[Layer], bits: int) -> dict[str, int]:
    """Return the same bits for every layer that may have them, 8 for the others."""
    return {layer.name: bits if bits in widths(layer) else 8 for layer in layers}


def saving(choices: Options, share: float) -> Allocation:
    """Return the least loss that saves at least a share of the bytes that can be saved.

    Args:
        choices: of the layers.
        share: 0 for none of the bytes between the most bits and the fewest, 1 for all.
    """
    most = sum(max(option.bytes for option in some) for some in choices.values())
    least = sum(min(option.bytes for option in some) for some in choices.values())
    return least_loss(choices, int(most - share * (most - least)))


def losing(choices: Options, share: float) -> Allocation:
    """Return the fewest bytes that lose at most a share of what can be lost.

    Args:
        choices: of the layers.
        share: 0 for the loss of the most careful choice, 1 for that of the most careless.
    """
    most = sum(max(option.loss for option in some) for some in choices.values())
    least = sum(min(option.loss for option in some) for some in choices.values())
    # The ends are sums in one order of the layers and may differ from the allocation's in rounding.
    return least_bytes(choices, least + share * (most - least) + 1e-9 * most)


def counts(bits: Mapping[str, int]) -> str:
    """Say how many layers have how many bits: `5 × 4, 18 × 8`."""
    widths_ = sorted(set(bits.values()))
    return ", ".join(f"{list(bits.values()).count(width)} × {width}" for width in widths_)
