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

    def watchdog(self) -> None:
        """Send WATCHDOG=1."""


class Progress:
    """Decides, after each step of the loop, whether the daemon as a whole got on.

    It did when a fresh window was classified and the journal took its line to the disk. Two
    failures are no lack of progress, since they are journalled, retried for ever, and a restart
    would not mend them: no source delivers, and the disk fails.

    Args:
        notifier: what is pinged.
        journal: what the lines go through.
        clock: monotonic nanoseconds.
        every_ns: shortest time between two pings.
    """

    def __init__(
        self, notifier: Watchdog, journal: Lines, clock: Clock, every_ns: int = 1_000_000_000
    ) -> None:
        self._notifier = notifier
        self._journal = journal
        self._clock = clock
        self._every_ns = every_ns
        self._fed_ns: int | None = None
        self._windows = 0
        self._written = journal.written

    def after_step(self, fresh_windows: int, *, sources_down: bool) -> bool:
        """Ping the watchdog if due and deserved; return whether it was pinged.

        Args:
            fresh_windows: windows classified since the start.
            sources_down: whether every source is in a reported failure.
        """
        now_ns = self._clock()
        if self._fed_ns is not None and now_ns - self._fed_ns < self._every_ns:
            return False
        classified = fresh_windows > self._windows
        if not (sources_down or (classified and self._journal_gets_on())):
            return False
        self._notifier.watchdog()
        self._fed_ns = now_ns
        self._windows = fresh_windows
        self._written = self._journal.written
        return True

    def _journal_gets_on(self) -> bool:
        journal = self._journal
        return journal.error is not None or journal.waiting == 0 or journal.written > self._written
