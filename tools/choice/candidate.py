"""A model that may be chosen for a tier, and which of several no other one beats."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """One model of one tier.

    Attributes:
        name: of its bundle.
        accuracy: share of right answers of the file.
        latency_us: median time of one inference.
        bytes: of the file.
        macs: multiply-accumulates of one inference.
    """

    name: str
    accuracy: float
    latency_us: float
    bytes: int
    macs: int


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the Pareto front: those that no other candidate dominates, in the order given."""
    return [some for some in candidates if not any(dominates(other, some) for other in candidates)]


def dominates(one: Candidate, other: Candidate) -> bool:
    """Whether one is at least as accurate, fast and small as the other, and better in one of it."""
    mine = (one.accuracy, -one.latency_us, -one.bytes)
    theirs = (other.accuracy, -other.latency_us, -other.bytes)
    return mine != theirs and all(a >= b for a, b in zip(mine, theirs, strict=True))
