"""A time in which nothing reaches the disk: when to try again, and what to say afterwards."""

from edge_daemon.journal.events import Fault

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 4.0


class Outage:
    """Counts attempts from the first error on, with a pause that doubles up to 4 s."""

    def __init__(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self._pause_s = _FIRST_PAUSE_S
        self._attempts = 0
        self.retry_at_ns = now_ns
        self.error = ""
        self.repaired_bytes = 0
        self.gone = 0
        """Lines that had been written and were not found again."""
        self._removed = False

    def failed(self, error: Exception, now_ns: int) -> None:
        """Take note of an attempt that failed."""
        self.error = str(error) if isinstance(error, OSError) else repr(error)
        if self._attempts == 0:
            self._removed = isinstance(error, FileNotFoundError)
        self._attempts += 1
        self.retry_at_ns = now_ns + int(self._pause_s * 1e9)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def fault(self, now_ns: int, dropped: int) -> Fault:
        """Return what the journal says about it once it is over.

        Args:
            now_ns: when that is.
            dropped: lines that found no room while they waited.
        """
        # Whoever deleted or moved the file knows what was in it.
        gone = 0 if self._removed else self.gone
        lost = dropped + gone
        message = f"no disk for {(now_ns - self._since_ns) / 1e9:.1f} s ({self.error}); "
        message += f"{lost} lines lost" if lost else "no line lost"
        if gone:
            message += f", {gone} of them written before: the file system did not keep them"
        if self.repaired_bytes:
            message += f"; {self.repaired_bytes} torn bytes cut"
        return Fault("journal", message, count=self._attempts, lines_lost=lost)
