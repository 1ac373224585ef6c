"""Which precision ships: what runs fastest at equal accuracy, int8 where nothing is faster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REFERENCE = "int8"
"""The precision that the others are measured against."""

TIE = 0.05
"""Share of the time by which another precision must be faster: repeated runs differ by less."""

SAME = 0.98
"""Share of inputs on which two runtimes agree about one file; rounding alone changes fewer."""


class VerdictError(Exception):
    """There is nothing to compare with: int8 itself does not run; the text says where and why."""


@dataclass(frozen=True)
class Run:
    """One file in one runtime.

    Attributes:
        median_us: of one inference.
        same: share of inputs with the answer that the converting runtime gives.
        failure: why the file cannot be run; empty where it can.
    """

    median_us: float
    same: float
    failure: str = ""


@dataclass(frozen=True)
class Measured:
    """One precision of one tier.

    Attributes:
        name: of the precision.
        low: lower end of the interval of its accuracy.
        high: upper end.
        runs: in each runtime, the deciding one first.
    """

    name: str
    low: float
    high: float
    runs: Mapping[str, Run]


def objection(some: Measured, reference: Measured) -> str:
    """Return why a precision cannot ship at all; empty where it can."""
    for runtime, run in some.runs.items():
        if run.failure:
            return f"does not run in {runtime}"
        if run.same < SAME:
            return f"answers otherwise in {runtime} ({100 * run.same:.1f} % the same)"
    if some.high < reference.low:
        return f"less accurate: at most {100 * some.high:.2f} %, {REFERENCE} at least " + (
            f"{100 * reference.low:.2f} %"
        )
    return ""


def verdict(measured: Sequence[Measured]) -> tuple[str, dict[str, str]]:
    """Return the precision that ships, and for every other one why it does not.

    Accuracies count as equal where their intervals overlap. A precision that is more accurate
    than int8 but slower does not ship either: int16 activations, the only candidates, take thirty
    times as long.

    Args:
        measured: all precisions, `REFERENCE` among them, each in the same runtimes.

    Raises:
        VerdictError: `REFERENCE` does not run everywhere, or answers otherwise somewhere.
    """
    reference = next(some for some in measured if some.name == REFERENCE)
    if problem := objection(reference, reference):
        why = "".join(f" ({run.failure})" for run in reference.runs.values() if run.failure)
        raise VerdictError(f"{REFERENCE} {problem}{why}; leave out this --python or repair it")
    objections = {some.name: objection(some, reference) for some in measured}
    possible = [some for some in measured if not objections[some.name]]
    chosen = min(possible, key=deciding_us)
    if deciding_us(chosen) > (1.0 - TIE) * deciding_us(reference):
        chosen = reference
    others = {
        some.name: objections[some.name] or compare(some, chosen)
        for some in measured
        if some is not chosen
    }
    return chosen.name, others


def deciding_us(some: Measured) -> float:
    """Return the time in the deciding runtime."""
    return next(iter(some.runs.values())).median_us


def compare(some: Measured, chosen: Measured) -> str:
    """Say how the time of one that could ship compares with that of the one that does."""
    ratio = deciding_us(some) / deciding_us(chosen)
    if abs(ratio - 1.0) <= TIE:
        return f"as fast as {chosen.name} ({ratio:.2f} of its time)"
    return f"slower than {chosen.name} ({ratio:.2f} of its time)"
