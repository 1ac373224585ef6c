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

# Slow both ways, so that a standstill of a moment now and then holds nothing back; and held for
# long: a loop that stands still tells nothing, and is no reason to move up.
_PACE = Pace(rise=0.15, fall=0.2, sigma=0.05, sigma_least=0.01, hold_s=120.0)
_NONE = 0.005  # less than this is as good as none


class Lateness(Struct, frozen=True):
    """What is known of the windows.

    Attributes:
        tier: whose they are; None before the first reading.
        last: the share of them that began late, 0 to 1, when they were last seen; None until then.
        before: the same when they were seen the time before.
        mean: over some ten seconds; until windows of this tier are seen, of the tier before.
    """

    tier: Tier | None = None
    last: float | None = None
    before: float | None = None
    mean: Level = level.begin(None, _PACE)


def observe(known: Lateness, reading: Reading, span_s: float | None, tier: Tier) -> Lateness:
    """Return what is known after a reading. Never raises, whatever the reading says.

    Args:
        known: what was known so far.
        reading: what the probes and the loop saw.
        span_s: seconds since the reading before; None where nobody watched, as over a suspend.
        tier: the present tier.
    """
    if span_s is None:
        return Lateness(tier)
    if tier is not known.tier:
        mean = known.mean
        if known.tier is not None and tier.rank < known.tier.rank and known.last is not None:
            mean = level.begin(max(known.last, mean.value or 0.0), _PACE)
        return Lateness(tier, mean=mean)
    seen = None
    # While a swap falls in, or is still to come, windows were another tier's.
    if reading.due > 0 and (reading.cycles == 0 or reading.cycle_tier is tier):
        seen = min(1.0, max(0.0, reading.late / reading.due))
    mean = level.follow(known.mean, seen, span_s, _PACE)
    if seen is None:
        return Lateness(tier, known.last, known.before, mean)
    return Lateness(tier, seen, known.last, mean)


def late_margin(tier: Tier, lateness: Lateness, limits: Limits) -> Margin | None:
    """Return what late windows say of a tier; None where they say nothing.

    Late windows drive their own tier out, and let no higher one in. What they would be in a lower
    one nobody knows before it runs. A tier is driven out by what a reading shows, and let in by
    what has held for a while. Where windows are so rare that none fell into a reading, it shows
    what the last two that had some have in common: one late window is not to count twice.

    Args:
        tier: whose margin.
        lateness: of the running tier's windows.
        limits: holds the bounds.
    """
    running = lateness.tier
    if running is None or tier.rank < max(1, running.rank):
        return None
    if tier is not running:
        value = lateness.mean.value
    elif lateness.mean.age_s == 0.0:
        value = lateness.last
    else:
        value = min(lateness.last or 0.0, lateness.before or 0.0)
    if value is None or value < _NONE:
        return None
    return Margin(tier, "late_windows", value, limits.cpu.late_enter, limits.cpu.late_leave)
