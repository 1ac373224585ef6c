"""When the next move up may be made, and when to look again."""

import math

from edge_daemon.governor import hearing
from edge_daemon.governor.allocation import Worths
from edge_daemon.governor.hearing import listens
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margins
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import Tier

# Scores of the scarcest margin between which the poll period goes from its shortest to its longest.
_NEAR, _FAR = 0.5, 2.0
# A margin that shrinks is looked at this many times before it is used up.
_LOOKS = 4.0


def payback_ns(
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


def wait_ns(state: PolicyState, upper: Tier, dwell_ns: int, limits: Limits) -> int:
    """Return how long the next tier must have been allowed, after the failures so far.

    While sound is gone, its wait is in it for a tier that listens: both begin when it returns.
    """
    waits_ns = dwell_ns
    if state.failures:
        longest_ns = _ns(limits.up_after_max_s)
        waits_ns = int(min(dwell_ns * 2.0 ** min(state.failures, 30), longest_ns))
    if state.hearing.gone and listens(upper):
        return max(waits_ns, hearing.wait_ns(state.hearing, limits))
    return waits_ns


def earliest_ns(
    state: PolicyState, upper: Tier, clear_ns: int, waits_ns: int, limits: Limits
) -> int:
    """Return when the move up may be made, if it is allowed from `clear_ns` on.

    Args:
        state: holds the ration of moves up, and since when sound has been back.
        upper: the tier to move up to.
        clear_ns: CLOCK_BOOTTIME since which, or from which on, it is allowed.
        waits_ns: as `wait_ns` returns it.
        limits: for the ration.
    """
    next_ns = clear_ns + waits_ns
    if state.hearing.losses and listens(upper):
        next_ns = max(next_ns, hearing.settled_ns(state.hearing, limits))
    if state.ups < 1.0 and not hearing.regains(state.hearing, upper):
        rationed_s = (1.0 - state.ups) * 3600.0 / limits.ups_per_hour
        next_ns = max(next_ns, (state.read_ns or 0) + _ns(rationed_s))
    return next_ns


def look_again_s(state: PolicyState, limits: Limits, found: Margins) -> float:
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


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
