"""Which tier to run: the published table, fast down and slow up.

A pure function of the state, one reading and the limits. The worst resource decides. A move down
goes straight to the tier it allows, after `down_polls` readings in a row; a hard limit goes to
`critical` at once. A move up goes one tier, after every resource has allowed it for a while
without a break; each move up that had to be taken back soon doubles that while. What is not known
never drives a tier out and never lets one in.
"""

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.pressure import Alarm, Pressure, alarm, pressures, slowed, unknown
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier

# Readings further apart than this many polls and a second leave a stretch that nobody watched.
_BREAK_POLLS = 3


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
    """

    tier: Tier
    read_ns: int | None = None
    down_polls: int = 0
    clear_ns: int | None = None
    up_ns: int | None = None
    failures: int = 0
    failed_ns: int = 0
    held_by: str = ""


def start(running: Tier, reading: Reading, limits: Limits) -> tuple[PolicyState, Decision]:
    """Return the state and decision to begin with: the highest tier that the reading lets in.

    A resource that is not known lets in `low`, as does a board that is being slowed.

    Args:
        running: the tier that runs so far.
        reading: the first reading.
        limits: what the tiers need.
    """
    tier, resource, reason = Tier.HIGH, "", "every resource lets it in"
    found = pressures(reading, limits)
    broken = alarm(reading, limits)
    hole = _hole(reading, limits) or _unreadable(reading)
    for upper in reversed(TIERS[1:]):
        stop = broken or (hole if upper is not Tier.LOW else None) or _held_by(found, upper)
        if stop is None:
            break
        tier, resource, reason = TIERS[upper.rank - 1], stop.resource, stop.reason
    state = PolicyState(tier, read_ns=reading.time_ns, held_by=resource)
    decision = Decision(tier, running, resource, "start", reason, None, reading.time_ns)
    return state, decision


def decide(state: PolicyState, reading: Reading, limits: Limits) -> tuple[PolicyState, Decision]:
    """Return the next state and the decision. Never raises, whatever the reading says."""
    now_ns = reading.time_ns
    state = _observed(state, now_ns, limits)
    broken = alarm(reading, limits)
    if broken is not None and state.tier is not Tier.CRITICAL:
        return _down(state, now_ns, Tier.CRITICAL, broken, limits)
    found = pressures(reading, limits)
    worst = min(found, key=lambda pressure: pressure.bearable(state.tier).rank, default=None)
    if worst is not None and (target := worst.bearable(state.tier)) is not state.tier:
        return _pressed(state, now_ns, worst, target, limits)
    if not unknown(reading, limits):  # a reading with a hole neither adds to the count nor ends it
        state = replace(state, down_polls=0)
    if state.tier is Tier.HIGH:
        return state, _stay(state, "top", "nothing asks for less than high")
    return _perhaps_up(state, reading, found, broken, limits)


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
    next_up_ns = now_ns + _wait_ns(state, limits)
    decision = Decision(state.tier, wanted, "swap", "swap_failed", reason, next_up_ns, now_ns)
    return state, decision


def _observed(state: PolicyState, now_ns: int, limits: Limits) -> PolicyState:
    """Take note of the time: forget old failures, and a clear stretch that nobody watched."""
    before_ns = state.read_ns
    watched = before_ns is not None and 0 < now_ns - before_ns <= _break_ns(limits)
    forget_ns = _ns(limits.forget_s)
    failures, failed_ns = state.failures, state.failed_ns
    if failures:
        forgotten = min(failures, max(0, now_ns - failed_ns) // forget_ns)
        failures -= forgotten
        failed_ns += forgotten * forget_ns
    up_ns = state.up_ns
    if up_ns is not None and now_ns - up_ns > _ns(limits.failed_within_s):
        up_ns = None
    return replace(
        state,
        read_ns=now_ns,
        clear_ns=state.clear_ns if watched else None,
        up_ns=up_ns,
        failures=failures,
        failed_ns=failed_ns,
    )


def _pressed(
    state: PolicyState, now_ns: int, worst: Pressure, target: Tier, limits: Limits
) -> tuple[PolicyState, Decision]:
    """A resource drives the present tier out."""
    leave = worst.bands[target.rank].leave
    side = "at or above" if worst.better < 0 else "at or below"
    reason = f"{worst.says()}, {side} the {worst.unit(leave)} where {TIERS[target.rank + 1]} ends"
    polls = state.down_polls + 1
    if polls < limits.down_polls:
        state = replace(state, down_polls=polls, clear_ns=None)
        reason += f": reading {polls} of {limits.down_polls}"
        return state, _stay(state, f"{worst.resource}_pending", reason, worst.resource)
    broken = Alarm(worst.resource, f"{worst.resource}_limit", reason)
    return _down(state, now_ns, target, broken, limits)


def _down(
    state: PolicyState, now_ns: int, target: Tier, cause: Alarm, limits: Limits
) -> tuple[PolicyState, Decision]:
    previous = state.tier
    failed = state.up_ns is not None
    state = replace(
        state, tier=target, down_polls=0, clear_ns=None, up_ns=None, held_by=cause.resource
    )
    reason = cause.reason
    if failed:
        state = _failed(state, now_ns)
        reason += "; the last move up did not last"
    next_up_ns = now_ns + _wait_ns(state, limits)
    return state, Decision(target, previous, cause.resource, cause.rule, reason, next_up_ns, now_ns)


def _perhaps_up(
    state: PolicyState,
    reading: Reading,
    found: list[Pressure],
    broken: Alarm | None,
    limits: Limits,
) -> tuple[PolicyState, Decision]:
    """Nothing asks for less: see whether there is room for more."""
    now_ns = reading.time_ns
    upper = TIERS[state.tier.rank + 1]
    stop = broken or _hole(reading, limits) or _held_by(found, upper)
    if stop is not None:
        state = replace(state, clear_ns=None, held_by=stop.resource)
        return state, _stay(state, stop.rule, stop.reason, stop.resource)
    state = replace(state, clear_ns=now_ns if state.clear_ns is None else state.clear_ns)
    next_up_ns = (state.clear_ns or 0) + _wait_ns(state, limits)
    stop = _unreadable(reading)  # a value that is held keeps the stretch, but lets nothing in
    if stop is not None:
        return state, _stay(state, stop.rule, stop.reason, stop.resource)
    if now_ns < next_up_ns:
        reason = f"{upper} is allowed, {(next_up_ns - now_ns) / 1e9:.0f} s to wait"
        return state, _stay(state, "waiting", reason, state.held_by, next_up_ns)
    waited_s = (now_ns - (state.clear_ns or 0)) / 1e9
    reason = f"{upper} has been allowed for {waited_s:.0f} s"
    for pressure in found:
        if pressure.resource == state.held_by:
            enter = pressure.unit(pressure.bands[upper.rank - 1].enter)
            reason += f"; {pressure.says()}, {upper} begins at {enter}"
    previous = state.tier
    state = replace(state, tier=upper, up_ns=now_ns, clear_ns=None)
    if upper is not Tier.HIGH and _held_by(found, TIERS[upper.rank + 1]) is None:
        state = replace(state, clear_ns=now_ns)
    after_ns = None if upper is Tier.HIGH else now_ns + _wait_ns(state, limits)
    return state, Decision(upper, previous, state.held_by, "recovered", reason, after_ns, now_ns)


def _hole(reading: Reading, limits: Limits) -> Alarm | None:
    """Return what is not known of the board, or that it is slowed, or None."""
    if missing := unknown(reading, limits):
        name = missing[0]
        why = reading.failed.get(name, "no value this time")
        return Alarm(name, "unknown", f"{name} is not known: {why}")
    if flags := slowed(reading):
        return Alarm("power", "throttled", f"the firmware reports {' and '.join(flags)}")
    return None


def _held_by(found: list[Pressure], upper: Tier) -> Alarm | None:
    """Return the resource that least allows a move up to `upper`, or None where all allow it."""
    least = min(found, key=lambda pressure: pressure.margin(upper), default=None)
    if least is None or least.margin(upper) >= 0:
        return None
    enter = least.unit(least.bands[upper.rank - 1].enter)
    reason = f"{least.says()}, {upper} begins at {enter}"
    return Alarm(least.resource, f"{least.resource}_holds", reason)


def _unreadable(reading: Reading) -> Alarm | None:
    """Return the first signal that failed, whose value is an old one, or None."""
    if not reading.failed:
        return None
    name, error = min(reading.failed.items())
    return Alarm(name, "unknown", f"{name} cannot be read: {error}")


def _stay(
    state: PolicyState, rule: str, reason: str, resource: str = "", next_up_ns: int | None = None
) -> Decision:
    time_ns = state.read_ns or 0
    return Decision(state.tier, state.tier, resource, rule, reason, next_up_ns, time_ns)


def _failed(state: PolicyState, now_ns: int) -> PolicyState:
    return replace(state, failures=state.failures + 1, failed_ns=now_ns)


def _wait_ns(state: PolicyState, limits: Limits) -> int:
    """Return how long the next tier must have been allowed, after the failures so far."""
    wait_s = limits.up_after_s * 2.0 ** min(state.failures, 30)
    return _ns(min(wait_s, limits.up_after_max_s))


def _break_ns(limits: Limits) -> int:
    return _ns(_BREAK_POLLS * limits.poll_s + 1.0)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
