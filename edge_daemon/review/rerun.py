"""Runs the policy again over a trace, poll by poll: a pure function of the trace and the settings.

The readings are those of the board as it ran. Had another tier run, its own load, heat and memory
would have been in them; a rerun cannot know those, the simulator in `tools/` can.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.policy import decide, start, swap_failed
from edge_daemon.governor.profile import PUBLISHED, Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.record import Settings, SwapFailed
from edge_daemon.governor.state import PolicyState
from edge_daemon.review.trace import Begin, Moment, Step
from edge_daemon.tier import Tier


@dataclass(frozen=True, slots=True)
class Replayed:
    """One poll of a rerun.

    Attributes:
        run: number of the run of the daemon, from 1.
        time_ns: CLOCK_BOOTTIME of its reading.
        wall_ms: wall-clock time of its reading; None in a script.
        tier: the tier that was decided on when it was recorded; None in a script.
        rule: the rule that fired then; empty where it is not known.
        decision: what the rerun decides.
    """

    run: int
    time_ns: int
    wall_ms: int | None
    tier: Tier | None
    rule: str
    decision: Decision


def rerun(
    steps: Iterable[Step], limits: Limits | None = None, profile: Profile | None = None
) -> Iterator[Replayed]:
    """Yield a trace's polls with what the policy decides on them now.

    Polls at which the policy was not asked, because a tier was pinned or the start waited for a
    complete reading, are not yielded: what ran then is taken over.

    Args:
        steps: of a trace.
        limits: in place of the recorded ones; None keeps those, or the defaults where the trace
            has none.
        profile: in place of the recorded one; None keeps it, or takes the published figures.
    """
    used = Settings(profile or PUBLISHED, limits or Limits())
    state: PolicyState | None = None
    before = Tier.CRITICAL  # what ran when the last tier was asked for
    run = 0
    for step in steps:
        if isinstance(step, Begin):
            state, before, run = None, Tier.CRITICAL, run + 1
        elif isinstance(step, Settings):
            used = Settings(profile or step.profile, limits or step.limits)
        elif isinstance(step, SwapFailed):
            if state is not None:
                state, _ = swap_failed(state, step.tier, before, used.limits)
        elif not step.free:
            if step.tier is not None:
                if state is not None and step.tier is not state.tier:
                    before = state.tier
                state = PolicyState(step.tier)
        else:
            reading = step.reading
            while True:
                state, decision = _decide(state, reading, step, used)
                if decision.changed:
                    before = decision.previous
                wall_ms = step.wall_ms
                if wall_ms is not None:
                    wall_ms += (reading.time_ns - step.reading.time_ns) // 1_000_000
                yield Replayed(run, reading.time_ns, wall_ms, step.tier, step.rule, decision)
                next_ns = reading.time_ns + max(1, round(decision.poll_s * 1e9))
                if next_ns >= step.until_ns:
                    break
                reading = _later(step.reading, next_ns)


def _decide(
    state: PolicyState | None, reading: Reading, step: Moment, used: Settings
) -> tuple[PolicyState, Decision]:
    if (step.rule == "start" and reading is step.reading) or (state is None and step.tier is None):
        running = Tier.CRITICAL if state is None else state.tier
        return start(running, reading, used.profile, used.limits)
    if state is None:  # the run's beginning is not in the trace: go on from the tier that ran
        assert step.tier is not None
        state = PolicyState(step.tier)
    return decide(state, reading, used.profile, used.limits)


def _later(reading: Reading, time_ns: int) -> Reading:
    """Return a reading that still holds; what is counted from poll to poll is not repeated."""
    return replace(
        reading, time_ns=time_ns, cycle_ms=None, cycle_tier=None, cycles=0, due=0, late=0
    )
