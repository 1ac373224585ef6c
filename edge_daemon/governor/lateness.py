"""Whether the present tier's windows begin in time: what no other signal hides.

A quota, a neighbour with a higher priority or a slow disk may leave a tier too little, and every
counter of load look well. The loop still knows which windows began late.
"""

from msgspec import Struct

from edge_daemon.governor import level
from edge_daemon.governor.level import Level, Pace
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

# Held for long: a loop that stands still tells nothing, and is no reason to move up.
_PACE = Pace(rise=0.9, fall=0.2, sigma=0.05, sigma_least=0.01, hold_s=60.0)


class Lateness(Struct, frozen=True):
    """What is known of the windows.

    Attributes:
        tier: whose they are; None before the first reading.
        own: whether any of them were seen; until then `share` is that of the tier before.
        share: of the windows that begin late, 0 to 1; fresh in bad news, slow in good ones.
    """

    tier: Tier | None = None
    own: bool = False
    share: Level = level.begin(None, _PACE)


def observe(before: Lateness, reading: Reading, span_s: float | None, tier: Tier) -> Lateness:
    """Return what is known after a reading. Never raises, whatever the reading says.

    Args:
        before: what was known so far.
        reading: what the probes and the loop saw.
        span_s: seconds since the reading before; None where nobody watched, as over a suspend.
        tier: the present tier.
    """
    if span_s is None:
        return Lateness(tier)
    if tier is not before.tier:
        return Lateness(tier, share=before.share)
    seen = None
    # While a swap falls in, or is still to come, windows were another tier's.
    if reading.due > 0 and (reading.cycles == 0 or reading.cycle_tier is tier):
        seen = min(1.0, max(0.0, reading.late / reading.due))
    own = before.own or seen is not None
    return Lateness(tier, own, level.follow(before.share, seen, span_s, _PACE))


def late_margin(tier: Tier, lateness: Lateness, limits: Limits) -> Margin | None:
    """Return what late windows say of a tier; None where they say nothing.

    Late windows drive their own tier out, and let no higher one in. What they would be in a lower
    one nobody knows before it runs. A tier is driven out by what holds now, and let in by what has
    held for a while.

    Args:
        tier: whose margin.
        lateness: of the running tier's windows.
        limits: holds the bounds.
    """
    running, share = lateness.tier, lateness.share
    if running is None or share.value is None or tier.rank < max(1, running.rank):
        return None
    if tier is running and not lateness.own:
        return None
    value = min(share.value, share.seen) if tier is running else share.value
    return Margin(tier, "late_windows", value, limits.cpu.late_enter, limits.cpu.late_leave)
