"""A disk that takes seconds a write and fails none: what is said of it, at both ends."""

from edge_daemon.journal.events import Fault

SLOW_S = 1.0
"""A write that takes longer is slow; on a sound SD card none does."""
QUIET_S = 60.0
"""How long no write may be slow before the disk counts as quick again."""


class Slowness:
    """Tells the first slow write, and those that followed once the disk has been quick for long.

    A dying card has a slow write every few seconds for weeks: two lines say so.
    """

    def __init__(self) -> None:
        self._first_ns = 0
        self._last_ns: int | None = None
        self._longest_s = 0.0
        self._untold = 0

    def wrote(self, begun_ns: int, done_ns: int) -> Fault | None:
        """Take note of a write that succeeded; return what is to be said, if anything."""
        took_s = (done_ns - begun_ns) / 1e9
        if took_s <= SLOW_S:
            return self._over() if self._quiet(done_ns) else None
        begins = self._quiet(begun_ns)
        self._untold += 1
        if begins:
            self._first_ns, self._longest_s = begun_ns, 0.0
        self._last_ns, self._longest_s = done_ns, max(self._longest_s, took_s)
        if not begins:
            return None
        message = f"the disk took {took_s:.1f} s for a write, and lines waited meanwhile"
        return self._fault(message)

    def _quiet(self, now_ns: int) -> bool:
        return self._last_ns is None or now_ns - self._last_ns >= QUIET_S * 1e9

    def _over(self) -> Fault | None:
        last_ns, self._last_ns = self._last_ns, None
        if last_ns is None or self._untold == 0:
            return None
        lasted_s = (last_ns - self._first_ns) / 1e9
        return self._fault(
            f"the disk is quick again: {self._untold} more writes took longer than {SLOW_S:g} s "
            f"within {lasted_s:.0f} s, the longest {self._longest_s:.1f} s; worn SD cards do so"
        )

    def _fault(self, message: str) -> Fault:
        count, self._untold = self._untold, 0
        return Fault("journal", message, count=count)
