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

from msgspec.structs import replace

from edge_daemon.governor.allocation import ceiling, next_worthwhile, worths
from edge_daemon.governor.arrival import NO_INPUT, NO_SOUND, told
from edge_daemon.governor.ascent import perhaps_up
from edge_daemon.governor.case import Case, consider
from edge_daemon.governor.decision import AT_TOP, Decision, Way, decided
from edge_daemon.governor.descent import down, pressed, unheard
from edge_daemon.governor.estimate import FILTERS, Filters
from edge_daemon.governor.hearing import listens
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.objections import (
    bad_news,
    held_by,
    is_lost,
    short_of,
    uncertain,
    unreadable,
)
from edge_daemon.governor.outlook import bearable
from edge_daemon.governor.patience import earliest_ns, look_again_s, wait_ns
from edge_daemon.governor.pressure import Alarm
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.prospect import way_up
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState, note_failure
from edge_daemon.tier import TIERS, Tier


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
    state, case = consider(PolicyState(running), reading, profile, limits, filters)
    reading, found, broken = case.reading, case.found, case.broken
    best = ceiling(case.worth)
    tier, resource, reason = best, "", "every resource lets it in"
    if reading.sound is False and best is not ceiling(worths(profile, limits.priorities)):
        resource, reason = "sound", NO_SOUND
    hole = uncertain(reading, case.missing, profile) or unreadable(reading)
    for upper in reversed(TIERS[1 : best.rank + 1]):
        stop = (
            broken or (hole if upper is not Tier.LOW else None) or held_by(short_of(found, upper))
        )
        if stop is None:
            break
        tier, resource, reason = TIERS[upper.rank - 1], stop.resource, stop.reason
    state = replace(state, tier=tier, held_by=resource)
    way = way_up(state, case)
    decision = decided(
        tier, running, reading.time_ns, "start", reason, way, limits.poll_min_s, resource
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
    state, case = consider(state, reading, profile, limits, filters)
    tier, reading, missing, found = state.tier, case.reading, case.missing, case.found
    if case.broken is not None and tier is not Tier.CRITICAL:
        return down(state, Tier.CRITICAL, case.broken, case)
    best = ceiling(case.worth)
    if tier.rank > best.rank:
        if reading.sound is False and listens(tier):
            return unheard(state, best, case)
        frugal = Alarm("", "no_gain", f"{tier} is worth no more than {best}")
        return down(state, best, frugal, case)
    target = bearable(found, tier)
    if target is not tier:
        return pressed(state, target, case)
    if missing and tier.rank > Tier.LOW.rank and is_lost(state, limits):
        return down(state, Tier.LOW, bad_news(missing[0], reading, limits), case)
    if state.down_polls and not missing:  # a hole neither adds to the count nor ends it
        state = replace(state, down_polls=0)
    upper = next_worthwhile(tier, case.worth) if case.arrives else None
    if upper is not None:
        return perhaps_up(state, upper, case)
    return _settled(state, case)


def _settled(state: PolicyState, case: Case) -> tuple[PolicyState, Decision]:
    """By what arrives, no higher tier is worth more."""
    tier, reading, limits = state.tier, case.reading, case.limits
    # Without pictures, but with sound, the same tiers are worth having.
    way = AT_TOP if case.arrives and reading.sound is not False else way_up(state, case)
    resource, poll_s = "", look_again_s(state, limits, case.found)
    if not case.arrives:
        state = replace(state, clear_ns=None)
        rule, reason = "no_input", NO_INPUT
    elif way is not AT_TOP:
        state = replace(state, clear_ns=None)
        rule, reason, resource, poll_s = "no_sound", NO_SOUND, "sound", limits.poll_max_s
    else:
        rule, reason = "top", "nothing asks for less than high"
        if tier is not Tier.HIGH:
            reason = f"no higher tier is worth more than {tier}"
    return state, decided(tier, tier, reading.time_ns, rule, reason, way, poll_s, resource)


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
    way = AT_TOP
    if state.tier is not Tier.HIGH:
        upper = TIERS[state.tier.rank + 1]
        waits_ns = wait_ns(state, upper, round(limits.up_after_s * 1e9), limits)
        next_up_ns = earliest_ns(state, upper, now_ns, waits_ns, limits)
        way = Way((), (f"{failed} can be made ready",), next_up_ns, waits_ns / 1e9)
    decision = decided(
        state.tier, wanted, now_ns, "swap_failed", reason, way, limits.poll_min_s, "swap"
    )
    return state, decision
