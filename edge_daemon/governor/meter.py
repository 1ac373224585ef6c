"""What the loop's windows took since the governor last looked."""

from typing import NamedTuple

from msgspec.structs import replace

from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier


class Total(NamedTuple):
    """Everything since the start.

    Attributes:
        tier: of the last window that was computed; None before the first.
        swaps: how often it was another one than that of the window before.
        windows: windows computed.
        spent_ns: time of them all.
        due: windows whose time has come.
        late: how many of them began a period or more too late, or never.
    """

    tier: Tier | None = None
    swaps: int = 0
    windows: int = 0
    spent_ns: int = 0
    due: int = 0
    late: int = 0


class Meter:
    """Counts on one thread, is read on another, and needs no lock.

    The loop puts a new total in the place of the old one, which is one assignment; the governor
    remembers the total that it saw last and takes the difference. Nothing is ever reset, so nothing
    can be lost between a look and a reset. One thread may note, and one may complete readings.
    """

    def __init__(self) -> None:
        self._total = Total()
        self._seen = Total()

    def computed(self, tier: Tier, spent_ns: int) -> None:
        """Note a window of which everything was computed: one that reuses something costs less."""
        before, swaps, windows, total_ns, due, late = self._total
        if before is not tier and before is not None:
            swaps += 1
        self._total = Total(tier, swaps, windows + 1, total_ns + spent_ns, due, late)

    def began(self, missed: int) -> None:
        """Note that a window's time came, and that of `missed` more before the next could begin."""
        tier, swaps, windows, spent_ns, due, late = self._total
        self._total = Total(tier, swaps, windows, spent_ns, due + 1 + missed, late + missed)

    def complete(self, reading: Reading) -> Reading:
        """Return the reading with what the windows took since the last one that was completed."""
        before, now = self._seen, self._total
        self._seen = now
        cycles = now.windows - before.windows
        due, late = now.due - before.due, now.late - before.late
        if cycles == 0:
            return reading if due == 0 else replace(reading, due=due, late=late)
        return replace(
            reading,
            cycle_ms=round((now.spent_ns - before.spent_ns) / cycles / 1e6, 4),
            cycle_tier=now.tier if now.swaps == before.swaps else None,
            cycles=cycles,
            due=due,
            late=late,
        )
