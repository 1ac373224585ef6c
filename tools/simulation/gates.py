"""What a governor must keep to, and whether it does."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tools.simulation.summary import Summary

SWITCHES, REVERSALS = 20.0, 4.0
VIOLATION, MISSED, REGRET = 0.003, 0.005, 0.04
DELAY_POLLS, LATE_SWITCHES, UNANSWERED = 2, 0, 0.0


class Gate(NamedTuple):
    """One of them.

    Attributes:
        name: what is limited.
        value: what it is.
        limit: what it may be.
        unit: of both.
    """

    name: str
    value: float
    limit: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether it is kept."""
        return self.value <= self.limit

    @property
    def excess(self) -> float:
        """By how much it is not, as a share of the limit; 0 where it is."""
        return max(0.0, self.value - self.limit) / (self.limit or 1.0)


def gates(summaries: Sequence[Summary], policy: str) -> Iterator[Gate]:
    """Yield the gates of a policy; regret counts at every load, the rest over all traces.

    Whether pictures are answered whatever the sensors do is a gate only where traces try it, and
    the worst of them counts.
    """
    own = [summary for summary in summaries if summary.policy == policy]
    whole = next(summary for summary in own if summary.load is None)
    yield Gate("switches", whole.switches.value, SWITCHES, "/h")
    yield Gate("reversals within 30 s", whole.reversals.value, REVERSALS, "/h")
    yield Gate("memory violation", 100.0 * whole.violation.value, 100.0 * VIOLATION, "%")
    yield Gate("misses and stalls", 100.0 * whole.missed.value, 100.0 * MISSED, "%")
    for each in [summary for summary in own if summary.load is not None] or own:
        load = "" if each.load is None else f" at load ×{each.load:g}"
        yield Gate(f"regret{load}", 100.0 * each.regret.value, 100.0 * REGRET, "%")
    yield Gate("hard event to move down", whole.delay_polls, DELAY_POLLS, "polls")
    yield Gate("switches in constant load after 60 s", whole.late_switches, LATE_SWITCHES, "")
    if whole.unanswered is not None:
        unanswered = 100.0 * whole.unanswered
        yield Gate("no answer while sensors fail", unanswered, 100.0 * UNANSWERED, "%")
