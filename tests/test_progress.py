from dataclasses import dataclass

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.progress import MISSED, Progress

SECOND = 1_000_000_000
PERIOD = SECOND // 10


@dataclass
class Lines:
    waiting: int = 0
    error: str | None = None
    written: int = 0


class Pings:
    watchdog_every_ns = SECOND

    def __init__(self) -> None:
        self.count = 0

    def watchdog(self) -> None:
        self.count += 1


class Asked:
    """A progress that is asked at set times, of windows that follow each other so fast."""

    def __init__(self, journal: Lines, period_ns: int = PERIOD) -> None:
        self.clock, self.pings = VirtualClock(7 * SECOND), Pings()
        self.period_ns = period_ns
        self._progress = Progress(self.pings, journal, self.clock)

    def at(self, seconds: float, windows: int, *, down: bool = False) -> bool:
        self.clock.advance_to(round((7 + seconds) * SECOND))
        return self._progress.check(windows, sources_down=down, period_ns=self.period_ns)


def test_a_fresh_window_whose_line_is_on_disk_feeds_the_watchdog() -> None:
    progress = Asked(Lines())
    assert progress.at(1, 1)
    assert progress.pings.count == 1


def test_no_fresh_window_is_no_progress() -> None:
    progress = Asked(Lines())
    assert not progress.at(1, 0)
    assert progress.at(2, 1)
    assert not progress.at(5, 1)
    assert progress.pings.count == 1


def test_a_journal_that_hangs_is_no_progress() -> None:
    journal = Lines()
    progress = Asked(journal)
    progress.at(1, 1)
    journal.waiting = 3
    assert not progress.at(5, 2)
    journal.written += 1
    assert progress.at(6, 3)
    assert progress.pings.count == 2


@pytest.mark.parametrize("reported", ["disk", "sources"])
def test_a_reported_failure_that_a_restart_would_not_mend_feeds_it(reported: str) -> None:
    disk = reported == "disk"
    progress = Asked(Lines(waiting=5, error="No space left" if disk else None))
    assert progress.at(1, 1 if disk else 0, down=not disk)
    assert progress.pings.count == 1


def test_it_is_fed_at_most_once_in_its_period() -> None:
    progress = Asked(Lines())
    for windows in range(1, 40):
        progress.at(windows / 10, windows)
    assert progress.pings.count == 3


def fed(progress: Asked, seconds: range, windows: int, *, down: bool = False) -> list[int]:
    """Return at which of these seconds it was fed."""
    return [second for second in seconds if progress.at(second, windows, down=down)]


def test_it_is_fed_while_no_window_is_due_but_not_while_they_fail_to_come() -> None:
    progress = Asked(Lines(), 60 * SECOND)
    assert fed(progress, range(1, 60), 0) == list(range(1, 60))  # since the start
    assert fed(progress, range(60, 400), 1) == list(range(60, 60 + MISSED * 60 + 1))
    assert progress.at(400, 2)


def test_a_journal_that_hangs_while_no_window_is_due_is_no_progress() -> None:
    journal = Lines()
    progress = Asked(journal, 60 * SECOND)
    assert progress.at(1, 1)
    journal.waiting = 1
    assert fed(progress, range(2, 20), 1) == []
    journal.waiting = 0
    assert progress.at(20, 1)


def test_sources_that_return_have_time_until_the_next_window() -> None:
    progress = Asked(Lines(), 60 * SECOND)
    assert len(fed(progress, range(1, 4000), 0, down=True)) == 3999
    assert fed(progress, range(4000, 4030), 0) == list(range(4000, 4030))


def test_a_period_that_is_shortened_counts_at_once() -> None:
    progress = Asked(Lines(), 60 * SECOND)
    assert progress.at(1, 1)
    progress.period_ns = PERIOD
    assert not progress.at(10, 1)
