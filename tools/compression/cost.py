"""What a tier costs, from its widths alone: multiply-accumulates, bytes of its file, time.

Every function takes plain widths or expected ones, which are tensors: then its result has a
gradient. A product of two expected widths counts as the expected product, which is exact for
gates that are open or closed and for those of different groups.
"""

from itertools import pairwise
from typing import NamedTuple

from edge_daemon.tier import TIERS, Tier
from tools.compression.widths import Number, Widths, widths_of
from tools.networks.audio import COLUMNS, KERNEL, PREFIX, STEM_KERNEL, STRIDES
from tools.networks.shape import Shape
from tools.networks.visual import RESIDUALS_14, RESIDUALS_28, STRIDES_14, STRIDES_28


class Cost(NamedTuple):
    """What one tier costs.

    Attributes:
        macs: multiply-accumulates of one inference.
        bytes: of the int8 model file.
        latency_us: of one inference, estimated.
    """

    macs: Number
    bytes: Number
    latency_us: Number


class Bill(NamedTuple):
    """What a branch is made of.

    Attributes:
        macs: multiply-accumulates of one inference.
        weights: int8 constants, a byte each.
        outputs: channels that the operators with weights have, each with a bias and a scale.
        layers: operators with weights.
        others: operators without.
        widths: the different numbers of channels; two expected ones count as different.
    """

    macs: Number
    weights: Number
    outputs: Number
    layers: int
    others: int
    widths: tuple[Number, ...]


def costs(shape: Shape) -> dict[Tier, Cost]:
    """Return what every tier of a shape costs."""
    widths = widths_of(shape)
    return {tier: tier_cost(widths, tier) for tier in TIERS}


def tier_cost(widths: Widths, tier: Tier) -> Cost:
    """Return what a tier costs."""
    match tier:
        case Tier.CRITICAL:
            return cost(visual_bill(widths.visual_14, 14, STRIDES_14, RESIDUALS_14, widths.labels))
        case Tier.LOW:
            return cost(visual_28_bill(widths))
        case Tier.MEDIUM:
            return cost(both(visual_28_bill(widths), audio_bill(widths, PREFIX)))
        case Tier.HIGH:
            return cost(both(visual_28_bill(widths), audio_bill(widths, COLUMNS)))


FILE_BYTES = 800
LAYER_BYTES = 241
OTHER_BYTES = 123
"""Tensors, shapes, options, padding: fitted on 40 files, then raised until none of them was larger
than its estimate, as a hard budget needs; none is more than 1 % smaller."""
OUTPUT_BYTES = 4 + 4
"""A bias and a scale."""
ZERO_POINT_BYTES = 8
"""Of a channel, all zero, and written once for all layers with as many channels."""

RUN_US = 12.3
OPERATOR_US = 0.34
MEGA_MAC_US = 9.1
"""Fitted on an x86-64 server's core with one thread; another machine has other constants."""


def cost(bill: Bill) -> Cost:
    """Return what a file costs that is made of so much."""
    operators = bill.layers + bill.others
    return Cost(
        macs=bill.macs,
        bytes=FILE_BYTES
        + LAYER_BYTES * bill.layers
        + OTHER_BYTES * bill.others
        + OUTPUT_BYTES * bill.outputs
        + ZERO_POINT_BYTES * sum(bill.widths)
        + bill.weights,
        latency_us=RUN_US + OPERATOR_US * operators + MEGA_MAC_US * bill.macs / 1e6,
    )


def both(first: Bill, second: Bill) -> Bill:
    """Return two branches and the operator that adds their logits."""
    return Bill(
        first.macs + second.macs,
        first.weights + second.weights,
        first.outputs + second.outputs,
        first.layers + second.layers,
        first.others + second.others + 1,
        distinct(*first.widths, *second.widths),
    )


def visual_28_bill(widths: Widths) -> Bill:
    """Return what the branch of 28 × 28 pixels is made of."""
    return visual_bill(widths.visual_28, 28, STRIDES_28, RESIDUALS_28, widths.labels)


def visual_bill(
    channels: tuple[Number, ...],
    size: int,
    strides: tuple[int, ...],
    residuals: tuple[bool, ...],
    labels: int,
) -> Bill:
    """Return what a `VisualBranch` is made of."""
    macs = 9 * size * size * channels[0]
    weights, outputs = 9 * channels[0], channels[0]
    for (inputs, following), stride in zip(pairwise(channels), strides, strict=True):
        size = -(-size // stride)
        block = 9 * inputs + inputs * following
        macs = macs + size * size * block
        weights = weights + block
        outputs = outputs + inputs + following
    last = size * size * channels[-1] + channels[-1] * labels  # gathering and head
    return Bill(
        macs + last,
        weights + last,
        outputs + channels[-1] + labels,
        layers=3 + 2 * len(strides),
        others=sum(residuals),  # ADD
        widths=distinct(*channels, labels),
    )


def audio_bill(widths: Widths, columns: int) -> Bill:
    """Return what an `AudioBranch` with one head is made of, for so many columns."""
    channels = widths.audio
    stem = STEM_KERNEL * widths.bands * channels[0]
    macs, weights, outputs = columns * stem, stem, channels[0]
    for (inputs, following), stride in zip(pairwise(channels), STRIDES, strict=True):
        columns = -(-columns // stride)
        block = KERNEL * inputs + inputs * following
        macs = macs + columns * block
        weights = weights + block
        outputs = outputs + inputs + following
    head = channels[-1] * widths.labels
    return Bill(
        macs + head,
        weights + head,
        outputs + widths.labels,
        layers=2 + 2 * len(STRIDES),
        others=3 + len(STRIDES) + STRIDES.count(1),  # PAD, RESHAPE, MEAN; PAD; ADD
        widths=distinct(*channels, widths.labels),
    )


def distinct(*widths: Number) -> tuple[Number, ...]:
    """Return different widths once, in order; tensors are different unless they are the same."""
    return tuple(dict.fromkeys(widths))
