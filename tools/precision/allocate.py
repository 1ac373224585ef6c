"""Dealing out bits: the least loss for a number of bytes, the fewest bytes for a loss.

A knapsack where every layer takes exactly one of its options, solved exactly: layer by layer, only
the combinations are kept that no other one beats in both bytes and loss (Nemhauser and Ullmann
1969). With the dozen layers of a student that is a matter of milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class AllocationError(Exception):
    """No choice of bits keeps the bound; the text gives the bound and the nearest possible."""


@dataclass(frozen=True)
class Option:
    """One width for one layer's weights.

    Attributes:
        bits: of each weight.
        bytes: of all the layer's weights.
        loss: what is predicted to be lost; losses of layers are added.
    """

    bits: int
    bytes: int
    loss: float


@dataclass(frozen=True)
class Allocation:
    """A width for every layer.

    Attributes:
        bits: by the layer's name.
        bytes: of all weights.
        loss: predicted.
    """

    bits: Mapping[str, int]
    bytes: int
    loss: float


Options = Mapping[str, Sequence[Option]]
"""What each layer may have, at least one option each."""


def frontier(options: Options) -> list[Allocation]:
    """Return all allocations that no other one beats, more bytes and less loss from first to last.

    Of several with the same bytes and loss one is returned.
    """
    kept = [Allocation({}, 0, 0.0)]
    for name, choices in options.items():
        grown = [
            Allocation(
                {**some.bits, name: choice.bits},
                some.bytes + choice.bytes,
                some.loss + choice.loss,
            )
            for some in kept
            for choice in choices
        ]
        kept = unbeaten(grown)
    return kept


def unbeaten(allocations: Sequence[Allocation]) -> list[Allocation]:
    """Return those that cost fewer bytes or less loss than every other, by rising bytes."""
    kept: list[Allocation] = []
    for some in sorted(allocations, key=lambda some: (some.bytes, some.loss)):
        if not kept or some.loss < kept[-1].loss:
            kept.append(some)
    return kept


def least_loss(options: Options, most_bytes: int) -> Allocation:
    """Return the allocation with the least predicted loss within a number of bytes.

    Raises:
        AllocationError: even the fewest bits take more.
    """
    possible = frontier(options)
    within = [some for some in possible if some.bytes <= most_bytes]
    if not within:
        raise AllocationError(
            f"no choice of bits fits into {most_bytes} bytes of weights; the smallest takes "
            f"{possible[0].bytes}: allow as many, or prune the network"
        )
    return within[-1]


def least_bytes(options: Options, most_loss: float) -> Allocation:
    """Return the allocation with the fewest bytes within a predicted loss.

    Raises:
        AllocationError: even the most careful choice loses more.
    """
    possible = frontier(options)
    within = [some for some in possible if some.loss <= most_loss]
    if not within:
        raise AllocationError(
            f"no choice of bits loses at most {most_loss:.3g}; the most careful loses "
            f"{possible[-1].loss:.3g}: allow as much, or offer more bits"
        )
    return within[0]
