"""Writes that take seconds, told as two lines however many there are."""

from edge_daemon.journal.events import Fault
from edge_daemon.journal.slowness import QUIET_S, Slowness

SECOND_NS = 1_000_000_000


class Disk:
    """Writes that take so long, on a clock of their own."""

    def __init__(self) -> None:
        self._slowness = Slowness()
        self._now_s = 100.0

    def write(self, takes_s: float, *, after_s: float = 0.0) -> Fault | None:
        begun_s = self._now_s + after_s
        self._now_s = begun_s + takes_s
        return self._slowness.wrote(round(begun_s * SECOND_NS), round(self._now_s * SECOND_NS))


def test_quick_writes_are_no_news() -> None:
    disk = Disk()
    assert [disk.write(0.9, after_s=100.0) for _ in range(5)] == [None] * 5


def test_the_first_slow_write_is_told_and_those_after_it_at_the_end() -> None:
    disk = Disk()
    first = disk.write(2.5)
    assert first == Fault(
        "journal", "the disk took 2.5 s for a write, and lines waited meanwhile", count=1
    )
    assert [disk.write(takes_s, after_s=20.0) for takes_s in (0.1, 4.0, 0.1, 3.0)] == [None] * 4
    assert disk.write(0.1, after_s=QUIET_S - 1.0) is None
    assert disk.write(0.1, after_s=1.0) == Fault(
        "journal",
        "the disk is quick again: 2 more writes took longer than 1 s within 90 s, "
        "the longest 4.0 s; worn SD cards do so",
        count=2,
    )
    assert disk.write(0.1, after_s=1000.0) is None


def test_one_slow_write_alone_has_no_end_to_tell() -> None:
    disk = Disk()
    assert disk.write(2.0) is not None
    assert disk.write(0.1, after_s=QUIET_S) is None


def test_it_is_news_again_once_the_disk_has_been_quick() -> None:
    disk = Disk()
    disk.write(9.0)
    disk.write(0.1, after_s=QUIET_S)
    again = disk.write(1.5)
    assert again is not None
    assert again.message.startswith("the disk took 1.5 s")
    disk.write(1.1)
    end = disk.write(0.1, after_s=QUIET_S)
    assert end is not None
    assert "the longest 1.5 s" in end.message  # not that of the time before


def test_a_slow_write_after_a_long_silence_is_news() -> None:
    disk = Disk()
    assert disk.write(2.0) is not None
    assert disk.write(3.0) is None
    assert disk.write(2.0, after_s=3600.0) == Fault(
        "journal", "the disk took 2.0 s for a write, and lines waited meanwhile", count=2
    )
