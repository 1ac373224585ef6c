"""Where a rerun decides otherwise than was decided, in stretches, and what that adds up to."""

from collections.abc import Iterable

from msgspec import Struct, field

from edge_daemon.review.rerun import Replayed
from edge_daemon.tier import TIERS, Tier

UNWATCHED_NS = 181_000_000_000
"""Polls further apart than this, three of the longest poll periods, leave time that is nobody's."""


class Difference(Struct):
    """A stretch in which one tier was decided on and another one is replayed.

    Attributes:
        run: number of the run of the daemon.
        time_ns: CLOCK_BOOTTIME of its first poll.
        wall_ms: wall-clock time of its first poll, milliseconds since the epoch.
        lasts_s: up to the next poll that is no part of it.
        polls: how many.
        recorded: the tier that was decided on.
        rule: the rule that fired then, at the first poll; empty where it is not known.
        replayed: the tier that is decided on now.
        replayed_rule: the rule that fires now, at the first poll.
        reason: the same in a sentence.
    """

    run: int
    time_ns: int
    wall_ms: int | None
    lasts_s: float
    polls: int
    recorded: Tier
    rule: str
    replayed: Tier
    replayed_rule: str
    reason: str


class Course(Struct):
    """How one side went.

    Attributes:
        tier_s: seconds in each tier.
        switches: changes of the tier within a run.
    """

    tier_s: dict[Tier, float] = field(default_factory=lambda: dict.fromkeys(TIERS, 0.0))
    switches: int = 0


class Comparison(Struct):
    """What a rerun amounts to.

    Attributes:
        runs: runs of the daemon with a poll to replay.
        polls: decisions replayed.
        compared: those of them with a recorded one beside.
        differing: those that differ.
        watched_s: time that the polls stand for.
        recorded: what was decided; empty for a script.
        replayed: what is decided now.
        differences: every stretch that differs, in order.
    """

    runs: int = 0
    polls: int = 0
    compared: int = 0
    differing: int = 0
    watched_s: float = 0.0
    recorded: Course = field(default_factory=Course)
    replayed: Course = field(default_factory=Course)
    differences: list[Difference] = field(default_factory=list)

    @property
    def longest(self) -> Difference | None:
        """The longest stretch that differs; None where nothing does."""
        return max(self.differences, key=lambda one: one.lasts_s, default=None)

    def per_hour(self, course: Course) -> float:
        """Return a course's switches in an hour."""
        return 3600.0 * course.switches / self.watched_s if self.watched_s > 0 else 0.0


def compare(polls: Iterable[Replayed]) -> Comparison:
    """Return what the polls of a rerun amount to; they are read as a stream."""
    found = Comparison()
    last: Replayed | None = None
    for poll in polls:
        if last is None or poll.run != last.run:
            found.runs += 1
        else:
            _follow(found, last, poll)
        found.polls += 1
        if poll.tier is not None:
            found.compared += 1
            if poll.tier is not poll.decision.tier:
                found.differing += 1
                _differ(found, last, poll, poll.tier)
        last = poll
    return found


def _follow(found: Comparison, last: Replayed, poll: Replayed) -> None:
    """Count the time between two polls of a run, and the switches at its end."""
    span_ns = poll.time_ns - last.time_ns
    if 0 < span_ns <= UNWATCHED_NS:
        span_s = span_ns / 1e9
        found.watched_s += span_s
        found.replayed.tier_s[last.decision.tier] += span_s
        if last.tier is not None:
            found.recorded.tier_s[last.tier] += span_s
            if last.tier is not last.decision.tier:
                found.differences[-1].lasts_s += span_s
    found.replayed.switches += poll.decision.tier is not last.decision.tier
    if poll.tier is not None and last.tier is not None:
        found.recorded.switches += poll.tier is not last.tier


def _differ(found: Comparison, last: Replayed | None, poll: Replayed, recorded: Tier) -> None:
    """Note a poll that differs: one more of the stretch, or the first of the next."""
    decision = poll.decision
    if (
        last is not None
        and last.run == poll.run
        and last.tier is recorded
        and last.decision.tier is decision.tier
    ):
        found.differences[-1].polls += 1
        return
    found.differences.append(
        Difference(
            run=poll.run,
            time_ns=poll.time_ns,
            wall_ms=poll.wall_ms,
            lasts_s=0.0,
            polls=1,
            recorded=recorded,
            rule=poll.rule,
            replayed=decision.tier,
            replayed_rule=decision.rule,
            reason=decision.reason,
        )
    )
