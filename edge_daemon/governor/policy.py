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

import math
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.governor import hearing
from edge_daemon.governor.allocation import Worths, ceiling, next_worthwhile, worths
from edge_daemon.governor.arrival import NO_INPUT, NO_SOUND, told, worth_now
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.estimate import FILTERS, Estimate, Filters, observe
from edge_daemon.governor.foresight import foreseen_margins
from edge_daemon.governor.hearing import Hearing, listens
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin, Margins
from edge_daemon.governor.pressure import Alarm, alarm, slowed, unknown, without
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.table import table_margins
from edge_daemon.tier import TIERS, Tier

# Readings further apart than this many polls and a second leave a stretch that nobody watched.
_BREAK_POLLS = 3

UPS_AT_ONCE = 3.0
"""Moves up that may follow on each other: the way from `critical` to `high`."""

# Scores of the scarcest margin between which the poll period goes from its shortest to its longest.
_NEAR, _FAR = 0.5, 2.0
# A margin that shrinks is looked at this many times before it is used up.
_LOOKS = 4.0

_score = attrgetter("score")


class PolicyState(Struct, frozen=True):
    """What the policy remembers from one reading to the next. Times are CLOCK_BOOTTIME.

    Attributes:
        tier: the tier that was last decided on.
        read_ns: time of the last reading; None before the first.
        down_polls: readings in a row that asked for a lower tier.
        clear_ns: since when the next higher tier has been allowed; None while it is not.
        up_ns: time of the last move up, until it has lasted or failed.
        failures: moves up that failed and are not forgotten.
        failed_ns: when the last of them failed, or one was forgotten.
        held_by: the resource that last drove a tier out or kept the next one from beginning.
        ups: moves up that may be made now.
        hole_ns: since when something is not known; None while all is.
        unplugged_ns: since when the mains have been gone; None while they are not known to be.
        hearing: whether sound arrives, and what losing it cost.
        estimate: what the readings so far amount to.
    """

    tier: Tier
    read_ns: int | None = None
    down_polls: int = 0
    clear_ns: int | None = None
    up_ns: int | None = None
    failures: int = 0
    failed_ns: int = 0
    held_by: str = ""
    ups: float = UPS_AT_ONCE
    hole_ns: int | None = None
    unplugged_ns: int | None = None
    hearing: Hearing = Hearing()
    estimate: Estimate = Estimate()


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
    state = _observed(PolicyState(running), reading, missing, profile, limits, filters)
    found = _margins(state, reading, profile, limits)
    best = ceiling(worth_now(reading, profile, limits) or worths(profile, limits.priorities))
    tier, resource, reason = best, "", "every resource lets it in"
    if reading.sound is False and not listens(best):
        resource, reason = "sound", NO_SOUND
    broken = alarm(reading, limits)
    hole = _hole(reading, missing, profile) or _unreadable(reading)
    for upper in reversed(TIERS[1 : best.rank + 1]):
        stop = broken or (hole if upper is not Tier.LOW else None) or _held_by(_needs(found, upper))
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
        needs=_needs(found, TIERS[tier.rank + 1]) if tier is not best else (),
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
    state = _observed(state, reading, missing, profile, limits, filters)
    broken = alarm(reading, limits)
    found = _margins(state, reading, profile, limits)
    arrives = worth_now(reading, profile, limits)
    worth = arrives or worths(profile, limits.priorities)
    if broken is not None and state.tier is not Tier.CRITICAL:
        return _down(state, Tier.CRITICAL, broken, profile, limits, found, worth)
    best = ceiling(worth)
    if state.tier.rank > best.rank:
        if reading.sound is False and listens(state.tier):
            return _unheard(state, best, profile, limits, found, worth)
        frugal = Alarm("", "no_gain", f"{state.tier} is worth no more than {best}")
        return _down(state, best, frugal, profile, limits, found, worth)
    target = _bearable(found, state.tier)
    if target is not state.tier:
        return _pressed(state, target, profile, limits, found, worth)
    if missing and state.tier.rank > Tier.LOW.rank and _is_lost(state, limits):
        lost = _lost(missing[0], reading, limits)
        return _down(state, Tier.LOW, lost, profile, limits, found, worth)
    if state.down_polls and not missing:  # a hole neither adds to the count nor ends it
        state = replace(state, down_polls=0)
    if arrives is None:
        state = replace(state, clear_ns=None)
        return state, _stay(state, "no_input", NO_INPUT, poll_s=_poll_s(state, limits, found))
    upper = next_worthwhile(state.tier, worth)
    if upper is None and reading.sound is False:
        state = replace(state, clear_ns=None)
        return state, _stay(state, "no_sound", NO_SOUND, "sound", poll_s=limits.poll_max_s)
    if upper is None:
        top = "nothing asks for less than high"
        if state.tier is not Tier.HIGH:
            top = f"no higher tier is worth more than {state.tier}"
        return state, _stay(state, "top", top, poll_s=_poll_s(state, limits, found))
    forbids = broken or _hole(reading, missing, profile)
    return _perhaps_up(state, upper, reading, profile, limits, found, forbids, worth)


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
        state = replace(_failed(state, now_ns), up_ns=None)
    if failed is wanted and failed is not Tier.CRITICAL:
        tier = running if failed.rank > running.rank else TIERS[failed.rank - 1]
        state = replace(state, tier=tier, clear_ns=None, down_polls=0)
    reason = f"{failed} could not be made ready: {state.tier} instead"
    upper = TIERS[min(state.tier.rank + 1, Tier.HIGH.rank)]
    next_up_ns = _earliest_ns(state, upper, now_ns, _ns(limits.up_after_s), limits)
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


def _observed(
    state: PolicyState,
    reading: Reading,
    missing: tuple[str, ...],
    profile: Profile,
    limits: Limits,
    filters: Filters,
) -> PolicyState:
    """Take note of the reading and of the time that has passed."""
    now_ns, before_ns = reading.time_ns, state.read_ns
    span_ns = 0 if before_ns is None else max(0, now_ns - before_ns)
    watched = 0 < span_ns <= _break_ns(limits)
    failures, failed_ns = state.failures, state.failed_ns
    if failures:
        forget_ns = _ns(limits.forget_s)
        forgotten = min(failures, max(0, now_ns - failed_ns) // forget_ns)
        failures -= forgotten
        failed_ns += forgotten * forget_ns
    up_ns = state.up_ns
    if up_ns is not None and now_ns - up_ns > _ns(limits.failed_within_s):
        up_ns = None
    hole_ns = state.hole_ns
    if not missing:
        hole_ns = None
    elif hole_ns is None or hole_ns > now_ns:
        hole_ns = now_ns
    unplugged_ns = state.unplugged_ns
    if reading.on_mains is not False:
        unplugged_ns = None
    elif unplugged_ns is None or unplugged_ns > now_ns:
        unplugged_ns = now_ns
    return PolicyState(
        tier=state.tier,
        read_ns=now_ns,
        down_polls=state.down_polls,
        clear_ns=state.clear_ns if watched else None,
        up_ns=up_ns,
        failures=failures,
        failed_ns=failed_ns,
        held_by=state.held_by,
        ups=min(UPS_AT_ONCE, state.ups + span_ns / 3.6e12 * limits.ups_per_hour),
        hole_ns=hole_ns,
        unplugged_ns=unplugged_ns,
        hearing=hearing.observe(state.hearing, reading, watched, limits),
        estimate=observe(
            state.estimate, reading, span_ns / 1e9 if watched else None, profile, filters
        ),
    )


def _margins(state: PolicyState, reading: Reading, profile: Profile, limits: Limits) -> Margins:
    if not profile.measured:
        return Margins(lambda tier: table_margins(tier, reading, limits))
    left_s = limits.battery.runtime_s
    if left_s is not None and state.unplugged_ns is not None:
        left_s = max(0.0, left_s - (reading.time_ns - state.unplugged_ns) / 1e9)
    running, estimate, runtime_s = state.tier, state.estimate, left_s or None
    return Margins(
        lambda tier: foreseen_margins(tier, running, reading, estimate, profile, limits, runtime_s)
    )


def _bearable(found: Margins, tier: Tier) -> Tier:
    """Return the highest tier, from `tier` downwards, that no margin drives out."""
    while tier is not Tier.CRITICAL and any(margin.score <= 0 for margin in found[tier]):
        tier = TIERS[tier.rank - 1]
    return tier


def _pressed(
    state: PolicyState,
    target: Tier,
    profile: Profile,
    limits: Limits,
    found: Margins,
    worth: Worths,
) -> tuple[PolicyState, Decision]:
    """A margin drives the present tier out."""
    driven = TIERS[target.rank + 1]
    worst = min(found[driven], key=_score)
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
    return _down(state, target, broken, profile, limits, found, worth, worst)


def _unheard(
    state: PolicyState,
    target: Tier,
    profile: Profile,
    limits: Limits,
    found: Margins,
    worth: Worths,
) -> tuple[PolicyState, Decision]:
    """The sound is gone from a tier that listens: no fault of the board's, nor of a move up."""
    heard = hearing.lost(state.hearing, state.tier, state.read_ns or 0)
    state = replace(state, up_ns=None)
    silent = Alarm("sound", "no_sound", NO_SOUND)
    state, decision = _down(state, target, silent, profile, limits, found, worth)
    return replace(state, hearing=heard), decision


def _down(
    state: PolicyState,
    target: Tier,
    cause: Alarm,
    profile: Profile,
    limits: Limits,
    found: Margins,
    worth: Worths,
    binding: Margin | None = None,
) -> tuple[PolicyState, Decision]:
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
        state = _failed(state, now_ns)
        reason += "; the last move up did not last"
    upper = next_worthwhile(target, worth)
    next_up_ns = None
    if upper is not None:
        dwell_ns = _dwell_ns(target, upper, worth, profile, limits)
        next_up_ns = _earliest_ns(state, upper, now_ns, dwell_ns, limits)
    decision = Decision(
        target,
        previous,
        cause.resource,
        cause.rule,
        reason,
        next_up_ns,
        now_ns,
        binding,
        () if upper is None else _needs(found, upper),
        limits.poll_min_s,
    )
    return state, decision


def _perhaps_up(
    state: PolicyState,
    upper: Tier,
    reading: Reading,
    profile: Profile,
    limits: Limits,
    found: Margins,
    forbids: Alarm | None,
    worth: Worths,
) -> tuple[PolicyState, Decision]:
    """Nothing asks for less: see whether there is room for more."""
    now_ns = reading.time_ns
    poll_s = _poll_s(state, limits, found)
    short = _needs(found, upper)
    held = _held_by(short)
    stop = forbids or held
    if stop is not None:
        state = replace(state, clear_ns=None, held_by=stop.resource)
        stay = _stay(state, stop.rule, stop.reason, stop.resource, poll_s=poll_s)
        binding = short[0] if stop is held else None
        return state, replace(stay, needs=short, binding=binding)
    clear_ns = now_ns if state.clear_ns is None else state.clear_ns
    state = replace(state, clear_ns=clear_ns)
    dwell_ns = _dwell_ns(state.tier, upper, worth, profile, limits)
    next_up_ns = _earliest_ns(state, upper, clear_ns, dwell_ns, limits)
    stop = _unreadable(reading)  # a value that is held keeps the stretch, but lets nothing in
    if stop is not None:
        return state, _stay(state, stop.rule, stop.reason, stop.resource, poll_s=poll_s)
    if now_ns < next_up_ns:
        reason = f"{upper} is allowed, {(next_up_ns - now_ns) / 1e9:.0f} s to wait"
        if listens(upper) and next_up_ns == hearing.settled_ns(state.hearing, limits):
            reason += ": sound has only just come back"
        elif state.ups < 1.0 and next_up_ns > clear_ns + _wait_ns(state, dwell_ns, limits):
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
        needs = _needs(found, above)
        if not needs:
            state = replace(state, clear_ns=now_ns)
        dwell_ns = _dwell_ns(upper, above, worth, profile, limits)
        after_ns = _earliest_ns(state, above, now_ns, dwell_ns, limits)
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


def _hole(reading: Reading, missing: tuple[str, ...], profile: Profile) -> Alarm | None:
    """Return what is not known of the board, or that it is slowed, or None."""
    if missing:
        name = missing[0]
        why = reading.failed.get(name, "no value this time")
        return Alarm(name, "unknown", f"{name} is not known: {why}")
    # Foreseen margins have the slow clock in them already.
    if not profile.measured and (flags := slowed(reading)):
        return Alarm("power", "throttled", f"the firmware reports {' and '.join(flags)}")
    return None


def _is_lost(state: PolicyState, limits: Limits) -> bool:
    since_ns = state.hole_ns
    return since_ns is not None and (state.read_ns or 0) - since_ns >= _ns(limits.lost_s)


def _lost(name: str, reading: Reading, limits: Limits) -> Alarm:
    why = reading.failed.get(name, "it has no value")
    reason = (
        f"{name} could not be read for {limits.lost_s:g} s: {why}; no tier above low without it, "
        "unless governor.limits.ignored names it"
    )
    return Alarm(name, "lost", reason)


def _held_by(needs: tuple[Margin, ...]) -> Alarm | None:
    """Return the resource that least allows a move up, or None where nothing is short of it."""
    if not needs:
        return None
    least = needs[0]
    reason = f"{least.says()}, {least.tier} begins at {least.shown(least.enter)}"
    return Alarm(least.resource, f"{least.resource}_holds", reason)


def _needs(found: Margins, upper: Tier) -> tuple[Margin, ...]:
    """Return the margins that are short of letting `upper` in, the shortest first."""
    short = [margin for margin in found[upper] if margin.score < 1.0]
    return tuple(sorted(short, key=_score))


def _unreadable(reading: Reading) -> Alarm | None:
    """Return the first signal that failed, whose value is an old one, or None."""
    if not reading.failed:
        return None
    name, error = min(reading.failed.items())
    return Alarm(name, "unknown", f"{name} cannot be read: {error}")


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


def _failed(state: PolicyState, now_ns: int) -> PolicyState:
    return replace(state, failures=state.failures + 1, failed_ns=now_ns)


def _dwell_ns(
    tier: Tier,
    upper: Tier,
    worth: Worths,
    profile: Profile,
    limits: Limits,
) -> int:
    """Return how long the higher tier must last for its swap to pay, and at least `up_after_s`.

    While a tier is made ready and taken over, answers may be late; that is worth what all answers
    of that time are worth, and is won back at the rate by which the higher tier is better.
    """
    cost = profile.tiers[upper]
    stall_s = (cost.prepare_ms + cost.gap_ms) / 1e3
    gain = worth[upper.rank] - worth[tier.rank]
    dwell_s = stall_s * worth[tier.rank] / gain if gain > 0 else math.inf
    return _ns(max(limits.up_after_s, min(dwell_s, limits.up_after_max_s)))


def _wait_ns(state: PolicyState, dwell_ns: int, limits: Limits) -> int:
    """Return how long the next tier must have been allowed, after the failures so far."""
    return int(min(dwell_ns * 2.0 ** min(state.failures, 30), _ns(limits.up_after_max_s)))


def _earliest_ns(
    state: PolicyState, upper: Tier, clear_ns: int, dwell_ns: int, limits: Limits
) -> int:
    """Return when the move up may be made, if it is allowed from `clear_ns` on."""
    next_ns = clear_ns + _wait_ns(state, dwell_ns, limits)
    if listens(upper):
        next_ns = max(next_ns, hearing.settled_ns(state.hearing, limits))
    if state.ups < 1.0 and not hearing.regains(state.hearing, upper):
        rationed_s = (1.0 - state.ups) * 3600.0 / limits.ups_per_hour
        next_ns = max(next_ns, (state.read_ns or 0) + _ns(rationed_s))
    return next_ns


def _poll_s(state: PolicyState, limits: Limits, found: Margins) -> float:
    """Return when to look again: soon near a limit or on the way to one, later with room."""
    shortest, longest = limits.poll_min_s, limits.poll_max_s
    eats_mib_s = -state.estimate.memory_rate_mib_s
    warms_c_s = state.estimate.temperature_rate_c_s
    scarcest, poll_s = _FAR, longest
    for margin in found[state.tier]:
        scarcest = min(scarcest, margin.score)
        resource = margin.resource
        rate = eats_mib_s if resource == "memory" else warms_c_s if resource == "temperature" else 0
        if rate > 0:
            poll_s = min(poll_s, (margin.value - margin.leave) / rate / _LOOKS)
    share = (scarcest - _NEAR) / (_FAR - _NEAR)
    return max(shortest, min(poll_s, shortest + (longest - shortest) * share))


def _break_ns(limits: Limits) -> int:
    return _ns(_BREAK_POLLS * limits.poll_max_s + 1.0)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
