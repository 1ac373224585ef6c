"""Which tier to run: fast down, patient up, never without a reason.

A pure function of the state, one reading, the profile and the limits. Each tier has margins: of
the published table as long as its costs were not measured on this board, foreseen ones from then
on. The worst margin decides. A move down goes straight to the best tier that all of its margins
bear, after `down_polls` readings in a row; a hard limit goes to `critical` at once. A move up goes
one tier, after all margins have let it in for a while without a break. That while is as long as a
swap takes to pay, is doubled by each move up that had to be taken back soon, and moves up are
rationed: however the board behaves, `ups_per_hour` bounds the tier changes. What is not known
never lets a tier in, and in the long run counts as bad news. Sound or pictures that do not arrive
are worth nothing: without sound no tier listens, and without pictures one that listens is sought.
"""

from typing import NamedTuple

from msgspec.structs import replace

from edge_daemon.governor import hearing
from edge_daemon.governor.allocation import Worths, ceiling, next_worthwhile, worths
from edge_daemon.governor.arrival import NO_INPUT, NO_SOUND, told, worth_now
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.estimate import FILTERS, Filters
from edge_daemon.governor.hearing import listens
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin, Margins
from edge_daemon.governor.objections import (
    bad_news,
    held_by,
    is_lost,
    short_of,
    uncertain,
    unreadable,
)
from edge_daemon.governor.outlook import bearable, margins
from edge_daemon.governor.patience import earliest_ns, look_again_s, payback_ns, wait_ns
from edge_daemon.governor.pressure import Alarm, alarm, unknown, without
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState, note_failure, observed
from edge_daemon.tier import TIERS, Tier


class _Case(NamedTuple):
    """What a decision is made by, beside the state."""

    profile: Profile
    limits: Limits
    found: Margins
    worth: Worths


def start(
    running: Tier, reading: Reading, profile: Profile, limits: Limits, filters: Filters = FILTERS
) -> tuple[PolicyState, Decision]:
    """Return the state and decision to begin with: the highest tier that the reading lets in.

    A resource that is not known lets in `low`, as does a board that is being slowed.

    Args:
        running: the tier that runs so far.
        reading: the first reading.
        profile: what the tiers cost and are worth.
        limits: what the tiers need.
        filters: how fast what is believed.
    """
    reading = without(reading, limits.ignored)
    missing = unknown(reading, limits)
    state = observed(PolicyState(running), reading, missing, profile, limits, filters)
    found = margins(state, reading, profile, limits)
    best = ceiling(worth_now(reading, profile, limits) or worths(profile, limits.priorities))
    tier, resource, reason = best, "", "every resource lets it in"
    if reading.sound is False and not listens(best):
        resource, reason = "sound", NO_SOUND
    broken = alarm(reading, limits)
    hole = uncertain(reading, missing, profile) or unreadable(reading)
    for upper in reversed(TIERS[1 : best.rank + 1]):
        stop = (
            broken or (hole if upper is not Tier.LOW else None) or held_by(short_of(found, upper))
        )
        if stop is None:
            break
        tier, resource, reason = TIERS[upper.rank - 1], stop.resource, stop.reason
    state = replace(state, tier=tier, held_by=resource)
    decision = Decision(
        tier,
        running,
        resource,
        "start",
        reason,
        time_ns=reading.time_ns,
        needs=short_of(found, TIERS[tier.rank + 1]) if tier is not best else (),
        poll_s=limits.poll_min_s,
    )
    return state, told(decision, reading)


def decide(
    state: PolicyState,
    reading: Reading,
    profile: Profile,
    limits: Limits,
    filters: Filters = FILTERS,
) -> tuple[PolicyState, Decision]:
    """Return the next state and the decision. Never raises, whatever the reading says."""
    state, decision = _decide(state, reading, profile, limits, filters)
    return state, told(decision, reading)


def _decide(
    state: PolicyState, reading: Reading, profile: Profile, limits: Limits, filters: Filters
) -> tuple[PolicyState, Decision]:
    reading = without(reading, limits.ignored)
    missing = unknown(reading, limits)
    state = observed(state, reading, missing, profile, limits, filters)
    broken = alarm(reading, limits)
    found = margins(state, reading, profile, limits)
    arrives = worth_now(reading, profile, limits)
    worth = arrives or worths(profile, limits.priorities)
    case = _Case(profile, limits, found, worth)
    if broken is not None and state.tier is not Tier.CRITICAL:
        return _down(state, Tier.CRITICAL, broken, case)
    best = ceiling(worth)
    if state.tier.rank > best.rank:
        if reading.sound is False and listens(state.tier):
            return _unheard(state, best, case)
        frugal = Alarm("", "no_gain", f"{state.tier} is worth no more than {best}")
        return _down(state, best, frugal, case)
    target = bearable(found, state.tier)
    if target is not state.tier:
        return _pressed(state, target, case)
    if missing and state.tier.rank > Tier.LOW.rank and is_lost(state, limits):
        lost = bad_news(missing[0], reading, limits)
        return _down(state, Tier.LOW, lost, case)
    if state.down_polls and not missing:  # a hole neither adds to the count nor ends it
        state = replace(state, down_polls=0)
    if arrives is None:
        state = replace(state, clear_ns=None)
        return state, _stay(state, "no_input", NO_INPUT, poll_s=look_again_s(state, limits, found))
    upper = next_worthwhile(state.tier, worth)
    if upper is None and reading.sound is False:
        state = replace(state, clear_ns=None)
        return state, _stay(state, "no_sound", NO_SOUND, "sound", poll_s=limits.poll_max_s)
    if upper is None:
        top = "nothing asks for less than high"
        if state.tier is not Tier.HIGH:
            top = f"no higher tier is worth more than {state.tier}"
        return state, _stay(state, "top", top, poll_s=look_again_s(state, limits, found))
    forbids = broken or uncertain(reading, missing, profile)
    return _perhaps_up(state, upper, reading, case, forbids)


def swap_failed(
    state: PolicyState, failed: Tier, running: Tier, limits: Limits
) -> tuple[PolicyState, Decision]:
    """Return the state and decision after a tier could not be made ready.

    A move up that failed counts as one that did not last: the running tier stays and the wait
    doubles. After a move down that failed, the next lower tier is asked for; `critical` is always
    ready. A failure of a tier that is not wanted any more changes nothing but the wait.

    Args:
        state: the state since the failed tier was asked for.
        failed: the tier that could not be made ready.
        running: the tier that still runs.
        limits: for the time to wait.
    """
    now_ns = state.read_ns or 0
    wanted = state.tier
    if failed.rank > running.rank:
        state = replace(note_failure(state, now_ns), up_ns=None)
    if failed is wanted and failed is not Tier.CRITICAL:
        tier = running if failed.rank > running.rank else TIERS[failed.rank - 1]
        state = replace(state, tier=tier, clear_ns=None, down_polls=0)
    reason = f"{failed} could not be made ready: {state.tier} instead"
    upper = TIERS[min(state.tier.rank + 1, Tier.HIGH.rank)]
    next_up_ns = earliest_ns(state, upper, now_ns, round(limits.up_after_s * 1e9), limits)
    decision = Decision(
        state.tier,
        wanted,
        "swap",
        "swap_failed",
        reason,
        next_up_ns,
        now_ns,
        poll_s=limits.poll_min_s,
    )
    return state, decision


def _pressed(state: PolicyState, target: Tier, case: _Case) -> tuple[PolicyState, Decision]:
    """A margin drives the present tier out."""
    limits, found = case.limits, case.found
    driven = TIERS[target.rank + 1]
    worst = min(found[driven], key=lambda margin: margin.score)
    side = "at or above" if worst.enter < worst.leave else "at or below"
    reason = f"{worst.says()}, {side} the {worst.shown(worst.leave)} where {driven} ends"
    polls = state.down_polls + 1
    if polls < limits.down_polls:
        state = replace(state, down_polls=polls, clear_ns=None)
        reason += f": reading {polls} of {limits.down_polls}"
        stay = _stay(
            state, f"{worst.resource}_pending", reason, worst.resource, poll_s=limits.poll_min_s
        )
        return state, replace(stay, binding=worst)
    broken = Alarm(worst.resource, f"{worst.resource}_limit", reason)
    return _down(state, target, broken, case, worst)


def _unheard(state: PolicyState, target: Tier, case: _Case) -> tuple[PolicyState, Decision]:
    """The sound is gone from a tier that listens: no fault of the board's, nor of a move up."""
    heard = hearing.lost(state.hearing, state.tier, state.read_ns or 0)
    state = replace(state, up_ns=None)
    silent = Alarm("sound", "no_sound", NO_SOUND)
    state, decision = _down(state, target, silent, case)
    return replace(state, hearing=heard), decision


def _down(
    state: PolicyState, target: Tier, cause: Alarm, case: _Case, binding: Margin | None = None
) -> tuple[PolicyState, Decision]:
    profile, limits, found, worth = case
    previous, now_ns = state.tier, state.read_ns or 0
    failed = state.up_ns is not None
    state = replace(
        state,
        tier=target,
        down_polls=0,
        clear_ns=None,
        up_ns=None,
        held_by=cause.resource,
        hearing=replace(state.hearing, regain=None),
    )
    reason = cause.reason
    if failed:
        state = note_failure(state, now_ns)
        reason += "; the last move up did not last"
    upper = next_worthwhile(target, worth)
    next_up_ns = None
    if upper is not None:
        dwell_ns = payback_ns(target, upper, worth, profile, limits)
        next_up_ns = earliest_ns(state, upper, now_ns, dwell_ns, limits)
    decision = Decision(
        target,
        previous,
        cause.resource,
        cause.rule,
        reason,
        next_up_ns,
        now_ns,
        binding,
        () if upper is None else short_of(found, upper),
        limits.poll_min_s,
    )
    return state, decision


def _perhaps_up(
    state: PolicyState, upper: Tier, reading: Reading, case: _Case, forbids: Alarm | None
) -> tuple[PolicyState, Decision]:
    """Nothing asks for less: see whether there is room for more."""
    profile, limits, found, worth = case
    now_ns = reading.time_ns
    poll_s = look_again_s(state, limits, found)
    short = short_of(found, upper)
    held = held_by(short)
    stop = forbids or held
    if stop is not None:
        state = replace(state, clear_ns=None, held_by=stop.resource)
        stay = _stay(state, stop.rule, stop.reason, stop.resource, poll_s=poll_s)
        binding = short[0] if stop is held else None
        return state, replace(stay, needs=short, binding=binding)
    clear_ns = now_ns if state.clear_ns is None else state.clear_ns
    state = replace(state, clear_ns=clear_ns)
    dwell_ns = payback_ns(state.tier, upper, worth, profile, limits)
    next_up_ns = earliest_ns(state, upper, clear_ns, dwell_ns, limits)
    stop = unreadable(reading)  # a value that is held keeps the stretch, but lets nothing in
    if stop is not None:
        return state, _stay(state, stop.rule, stop.reason, stop.resource, poll_s=poll_s)
    if now_ns < next_up_ns:
        reason = f"{upper} is allowed, {(next_up_ns - now_ns) / 1e9:.0f} s to wait"
        if listens(upper) and next_up_ns == hearing.settled_ns(state.hearing, limits):
            reason += ": sound has only just come back"
        elif state.ups < 1.0 and next_up_ns > clear_ns + wait_ns(state, dwell_ns, limits):
            reason += f": at most {limits.ups_per_hour:g} moves up an hour"
        elif state.failures:
            times = "a move up" if state.failures == 1 else f"{state.failures} moves up"
            reason += f": {times} did not last"
        poll_s = min(poll_s, max(limits.poll_min_s, (next_up_ns - now_ns) / 1e9))
        return state, _stay(state, "waiting", reason, state.held_by, next_up_ns, poll_s)
    waited_s = (now_ns - clear_ns) / 1e9
    reason = f"{upper} has been allowed for {waited_s:.0f} s"
    binding = None
    for margin in found[upper]:
        if margin.resource == state.held_by:
            binding = margin
            reason += f"; {margin.says()}, {upper} begins at {margin.shown(margin.enter)}"
            break
    previous = state.tier
    free = hearing.regains(state.hearing, upper)
    if free and state.held_by == "sound":
        reason += "; sound arrives again"
    state = replace(
        state,
        tier=upper,
        up_ns=now_ns,
        clear_ns=None,
        ups=state.ups if free else state.ups - 1.0,
    )
    above = next_worthwhile(upper, worth)
    after_ns = None
    needs: tuple[Margin, ...] = ()
    if above is not None:
        needs = short_of(found, above)
        if not needs:
            state = replace(state, clear_ns=now_ns)
        dwell_ns = payback_ns(upper, above, worth, profile, limits)
        after_ns = earliest_ns(state, above, now_ns, dwell_ns, limits)
    decision = Decision(
        upper,
        previous,
        state.held_by,
        "recovered",
        reason,
        after_ns,
        now_ns,
        binding,
        needs,
        limits.poll_min_s,
    )
    return state, decision


def _stay(
    state: PolicyState,
    rule: str,
    reason: str,
    resource: str = "",
    next_up_ns: int | None = None,
    poll_s: float = 1.0,
) -> Decision:
    time_ns = state.read_ns or 0
    return Decision(
        state.tier, state.tier, resource, rule, reason, next_up_ns, time_ns, poll_s=poll_s
    )
