"""Moves down: what a margin that is used up, a hard limit or a loss of sound leads to."""

from msgspec.structs import replace

from edge_daemon.governor import hearing
from edge_daemon.governor.arrival import NO_SOUND
from edge_daemon.governor.case import Case
from edge_daemon.governor.decision import Decision, decided
from edge_daemon.governor.hearing import Hearing
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.pressure import Alarm
from edge_daemon.governor.prospect import way_up
from edge_daemon.governor.state import PolicyState, note_failure
from edge_daemon.tier import TIERS, Tier


def pressed(state: PolicyState, target: Tier, case: Case) -> tuple[PolicyState, Decision]:
    """A margin drives the present tier out: once that shows `down_polls` times, go to `target`."""
    limits = case.limits
    driven = TIERS[target.rank + 1]
    worst = min(case.found[driven], key=lambda margin: margin.score)
    side = "at or above" if worst.enter < worst.leave else "at or below"
    reason = f"{worst.says()}, {side} the {worst.shown(worst.leave)} where {driven} ends"
    polls = state.down_polls + 1
    if polls >= limits.down_polls:
        broken = Alarm(worst.resource, f"{worst.resource}_limit", reason)
        return down(state, target, broken, case, worst)
    state = replace(state, down_polls=polls, clear_ns=None)
    stays = decided(
        state.tier,
        state.tier,
        case.reading.time_ns,
        f"{worst.resource}_pending",
        f"{reason}: reading {polls} of {limits.down_polls}",
        way_up(state, case, worst),
        limits.poll_min_s,
        worst.resource,
        worst,
    )
    return state, stays


def unheard(state: PolicyState, target: Tier, case: Case) -> tuple[PolicyState, Decision]:
    """The sound is gone from a tier that listens: no fault of the board's, nor of a move up."""
    heard = hearing.lost(state.hearing, state.tier, case.reading.time_ns)
    state = replace(state, up_ns=None)
    return down(state, target, Alarm("sound", "no_sound", NO_SOUND), case, heard=heard)


def down(
    state: PolicyState,
    target: Tier,
    cause: Alarm,
    case: Case,
    binding: Margin | None = None,
    heard: Hearing | None = None,
) -> tuple[PolicyState, Decision]:
    """Go down at once.

    Args:
        state: the state so far.
        target: where to go.
        cause: why.
        case: what is decided by.
        binding: the margin that drives the present tier out, if one does.
        heard: what is remembered of the sound; None gives up what its return would regain.
    """
    previous, now_ns = state.tier, case.reading.time_ns
    failed = state.up_ns is not None
    state = replace(
        state,
        tier=target,
        down_polls=0,
        clear_ns=None,
        up_ns=None,
        held_by=cause.resource,
        hearing=heard or replace(state.hearing, regain=None),
    )
    reason = cause.reason
    if failed:
        state = note_failure(state, now_ns)
        reason += "; the last move up did not last"
    way = way_up(state, case, binding)
    poll_s = case.limits.poll_min_s
    return state, decided(
        target, previous, now_ns, cause.rule, reason, way, poll_s, cause.resource, binding
    )
