"""Feeds systemd's watchdog, from end-to-end progress only."""

from typing import Protocol

from edge_daemon.clock import Clock


class Lines(Protocol):
    """What the watchdog asks the journal."""

    @property
    def waiting(self) -> int:
        """Lines that have not reached the disk."""

    @property
    def error(self) -> str | None:
        """What the disk suffers from, which is reported and retried; None while it works."""

    @property
    def written(self) -> int:
        """Number of the last line on disk."""


class Watchdog(Protocol):
    """What pings systemd."""

    @property
    def watchdog_every_ns(self) -> int:
        """How often to ping; the first comes as long after the start."""

    def watchdog(self) -> None:
        """Send WATCHDOG=1."""


MISSED = 3
"""Periods within which a fresh window must come: now and then one finds nothing new."""


class Progress:
    """Decides, after each step of the loop and while it waits, whether the daemon got on.

    It did when a fresh window was classified, or none need be yet, and the journal took its line
    to the disk. Two failures are no lack of progress, since they are journalled, retried for ever,
    and a restart would not mend them: no source delivers, and the disk fails.

    The loop's own thread asks, so that one that hangs is not taken for one that waits.

    Args:
        notifier: what is pinged.
        journal: what the lines go through.
        clock: monotonic nanoseconds.
    """

    def __init__(self, notifier: Watchdog, journal: Lines, clock: Clock) -> None:
        self._notifier = notifier
        self._journal = journal
        self._clock = clock
        self._fed_ns = self._expected_ns = clock()  # since when the next window is expected
        self._windows = 0
        self._written = journal.written

    def check(self, fresh_windows: int, *, sources_down: bool, period_ns: int) -> bool:
        """Ping the watchdog if due and deserved; return whether it was pinged.

        Args:
            fresh_windows: windows classified since the start.
            sources_down: whether every source is in a reported failure.
            period_ns: time from one fresh window to the next when all is well.
        """
        now_ns = self._clock()
        if sources_down or fresh_windows > self._windows:
            self._windows, self._expected_ns = fresh_windows, now_ns
        if now_ns - self._fed_ns < self._notifier.watchdog_every_ns:
            return False
        in_time = now_ns - self._expected_ns <= MISSED * period_ns
        if not (sources_down or (in_time and self._journal_gets_on())):
            return False
        self._notifier.watchdog()
        self._fed_ns = now_ns
        self._written = self._journal.written
        return True

    def _journal_gets_on(self) -> bool:
        journal = self._journal
        return journal.error is not None or journal.waiting == 0 or journal.written > self._written
