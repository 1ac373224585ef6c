"""How long to measure what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to divide the time.

    Attributes:
        pace_ms: longest time from one window to the next. It must be that of the daemon, or near
            it: between windows that follow each other without a pause the clock stays high and
            the caches warm, and each would take less time than it will.
        rounds: how often each tier has its turn, after a first round that does not count.
        windows: windows in a turn.
        busy_rounds: how often all tiers run beside busy cores.
        busy_windows: windows of a tier in such a round, and as many without.
        processes: processes for each tier whose memory is looked at.
        power_s: time for which a tier's power is averaged; 0 leaves power out.
        settle_s: time before that, until a gauge shows what runs.
    """

    pace_ms: float
    rounds: int
    windows: int
    busy_rounds: int
    busy_windows: int
    processes: int
    power_s: float
    settle_s: float


THOROUGH = Plan(
    pace_ms=100.0,
    rounds=4,
    windows=10,
    busy_rounds=2,
    busy_windows=5,
    processes=3,
    power_s=3.5,
    settle_s=2.5,
)
QUICK = Plan(
    pace_ms=20.0,
    rounds=2,
    windows=8,
    busy_rounds=1,
    busy_windows=8,
    processes=1,
    power_s=0.0,
    settle_s=0.0,
)
"""For a first impression, and for tests: too fast a pace and too few windows for a quantile."""
