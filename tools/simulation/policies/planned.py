"""A plan made beforehand, whatever is read."""

import math
from collections.abc import Sequence

from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier


class Planned:
    """Runs the tier that a plan has for each second.

    Args:
        ranks: of the tier of each second.
    """

    def __init__(self, ranks: Sequence[int]) -> None:
        self._ranks = ranks

    def first(self, reading: Reading) -> Tier:
        """Return the tier of the second that begins or runs."""
        return self.next(reading)[0]

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier of the second that begins or runs, and when the next one begins."""
        now_s = reading.time_ns / 1e9
        second = min(len(self._ranks) - 1, math.floor(now_s + 1e-6))
        return TIERS[self._ranks[second]], max(1e-3, second + 1.0 - now_s)
