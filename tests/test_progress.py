from dataclasses import dataclass

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.progress import Progress

SECOND = 1_000_000_000


@dataclass
class Lines:
    waiting: int = 0
    error: str | None = None
    written: int = 0


class Pings:
    def __init__(self) -> None:
        self.count = 0

    def watchdog(self) -> None:
        self.count += 1


def make(journal: Lines) -> tuple[Progress, Pings, VirtualClock]:
    clock, pings = VirtualClock(), Pings()
    return Progress(pings, journal, clock), pings, clock


def test_a_fresh_window_whose_line_is_on_disk_feeds_the_watchdog() -> None:
    progress, pings, _ = make(Lines())
    assert progress.after_step(1, sources_down=False)
    assert pings.count == 1


def test_no_fresh_window_is_no_progress() -> None:
    progress, pings, clock = make(Lines())
    progress.after_step(1, sources_down=False)
    clock.advance_to(5 * SECOND)
    assert not progress.after_step(1, sources_down=False)
    assert pings.count == 1


def test_a_journal_that_hangs_is_no_progress() -> None:
    journal = Lines()
    progress, pings, clock = make(journal)
    progress.after_step(1, sources_down=False)
    journal.waiting = 3
    clock.advance_to(5 * SECOND)
    assert not progress.after_step(2, sources_down=False)
    journal.written += 1
    assert progress.after_step(2, sources_down=False)
    assert pings.count == 2


@pytest.mark.parametrize("reported", ["disk", "sources"])
def test_a_reported_failure_that_a_restart_would_not_mend_feeds_it(reported: str) -> None:
    progress, pings, _ = make(
        Lines(waiting=5, error="No space left" if reported == "disk" else None)
    )
    assert progress.after_step(
        0 if reported == "sources" else 1, sources_down=reported == "sources"
    )
    assert pings.count == 1


def test_it_is_fed_at_most_once_in_its_period() -> None:
    progress, pings, clock = make(Lines())
    for windows in range(1, 40):
        progress.after_step(windows, sources_down=False)
        clock.advance_to(windows * SECOND // 10)
    assert pings.count == 4
