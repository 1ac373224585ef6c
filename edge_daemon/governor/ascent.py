"""Moves up: one tier, once nothing has stood against it for long enough."""

from msgspec.structs import replace

from edge_daemon.governor import hearing
from edge_daemon.governor.allocation import next_worthwhile
from edge_daemon.governor.case import Case
from edge_daemon.governor.decision import Decision, decided
from edge_daemon.governor.hearing import listens
from edge_daemon.governor.objections import held_by, short_of, uncertain, unreadable
from edge_daemon.governor.patience import look_again_s, payback_ns, wait_ns
from edge_daemon.governor.prospect import stands_against, way_to, way_up
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import Tier


def perhaps_up(state: PolicyState, upper: Tier, case: Case) -> tuple[PolicyState, Decision]:
    """Nothing asks for less: see whether there is room for more."""
    reading, limits, tier = case.reading, case.limits, state.tier
    now_ns = reading.time_ns
    poll_s = look_again_s(state, limits, case.found)
    short = short_of(case.found, upper)
    held = held_by(short)
    forbids = case.broken or uncertain(reading, case.missing, case.profile)
    awaits = stands_against(case, short) if forbids or reading.failed else ()
    stop = forbids or held
    if stop is not None:
        state = replace(state, clear_ns=None, held_by=stop.resource)
        way = way_to(state, upper, case.worth, case, short, awaits)
        binding = short[0] if stop is held else None
        return state, decided(
            tier, tier, now_ns, stop.rule, stop.reason, way, poll_s, stop.resource, binding
        )
    clear_ns = now_ns if state.clear_ns is None else state.clear_ns
    state = replace(state, clear_ns=clear_ns)
    way = way_to(state, upper, case.worth, case, (), awaits, clear_ns)
    stop = unreadable(reading)  # a value that is held keeps the stretch, but lets nothing in
    if stop is not None:
        return state, decided(
            tier, tier, now_ns, stop.rule, stop.reason, way, poll_s, stop.resource
        )
    next_up_ns = way.next_up_ns or 0
    if now_ns >= next_up_ns:
        return _up(state, upper, case)
    reason = f"{upper} is allowed, {(next_up_ns - now_ns) / 1e9:.0f} s to wait"
    reason += _why_longer(state, upper, next_up_ns, clear_ns, case)
    poll_s = min(poll_s, max(limits.poll_min_s, (next_up_ns - now_ns) / 1e9))
    return state, decided(tier, tier, now_ns, "waiting", reason, way, poll_s, state.held_by)


def _why_longer(state: PolicyState, upper: Tier, next_up_ns: int, clear_ns: int, case: Case) -> str:
    """Return why the wait is longer than the usual one, to be added to a sentence."""
    limits = case.limits
    if listens(upper) and next_up_ns == hearing.settled_ns(state.hearing, limits):
        return ": sound has only just come back"
    if state.ups < 1.0:
        pays_ns = payback_ns(state.tier, upper, case.worth, case.profile, limits)
        if next_up_ns > clear_ns + wait_ns(state, upper, pays_ns, limits):
            return f": at most {limits.ups_per_hour:g} moves up an hour"
    if state.failures:
        times = "a move up" if state.failures == 1 else f"{state.failures} moves up"
        return f": {times} did not last"
    return ""


def _up(state: PolicyState, upper: Tier, case: Case) -> tuple[PolicyState, Decision]:
    previous, now_ns, held_by = state.tier, case.reading.time_ns, state.held_by
    waited_s = (now_ns - (state.clear_ns or now_ns)) / 1e9
    reason = f"{upper} has been allowed for {waited_s:.0f} s"
    binding = next((margin for margin in case.found[upper] if margin.resource == held_by), None)
    if binding is not None:
        reason += f"; {binding.says()}, {upper} begins at {binding.shown(binding.enter)}"
    free = hearing.regains(state.hearing, upper)
    if free and held_by == "sound":
        reason += "; sound arrives again"
    ups = state.ups if free else state.ups - 1.0
    state = replace(state, tier=upper, up_ns=now_ns, clear_ns=None, ups=ups)
    above = next_worthwhile(upper, case.worth)
    if above is None or short_of(case.found, above):
        way = way_up(state, case)
    else:  # the next wait begins at once
        state = replace(state, clear_ns=now_ns)
        way = way_to(state, above, case.worth, case, (), (), now_ns)
    poll_s = case.limits.poll_min_s
    return state, decided(
        upper, previous, now_ns, "recovered", reason, way, poll_s, held_by, binding
    )
