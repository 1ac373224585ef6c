"""What the simulator asks of a policy."""

from typing import Protocol

from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier


class Policy(Protocol):
    """Chooses tiers by readings; made anew for each run, and again when the board has rebooted."""

    def first(self, reading: Reading) -> Tier:
        """Return the tier to begin with."""

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier to run and in how many seconds to ask again."""
