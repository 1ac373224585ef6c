"""One tier for ever."""

from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier


class Static:
    """Runs one tier whatever happens.

    Args:
        tier: the one.
    """

    def __init__(self, tier: Tier) -> None:
        self._tier = tier

    def first(self, reading: Reading) -> Tier:
        """Return the tier."""
        del reading
        return self._tier

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier."""
        del reading
        return self._tier, 1.0
