import errno
from dataclasses import dataclass, field

import pytest

from edge_daemon.governor.sensor import Seen, Sensor
from tests.governor.sysroot import seconds


@dataclass
class Scripted:
    """A probe that says what the test has it say, and counts how often its files were sought."""

    says: float | Exception | None = 1.0
    present: bool = True
    scans: int = 0
    scan_error: OSError | None = None
    closed: bool = field(default=False)

    def scan(self) -> None:
        self.scans += 1
        if self.scan_error is not None:
            raise self.scan_error

    def read(self, now_ns: int) -> float | None:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def close(self) -> None:
        self.closed = True


def test_a_value() -> None:
    assert Sensor("heat", Scripted).look(seconds(1)) == Seen(10**9, 1.0, False, None, 10**9)


def test_a_board_without_it() -> None:
    assert Sensor("heat", lambda: Scripted(present=False)).look(7) == Seen(7, None, True, None, 7)


@pytest.mark.parametrize(
    "error",
    [ValueError("says hot"), OSError(errno.EIO, "it failed"), OverflowError("too large a number")],
)
def test_the_last_value_stands_in_for_five_seconds(error: Exception) -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.look(seconds(1))
    probe.says = error
    assert sensor.look(seconds(6)) == Seen(seconds(6), 1.0, False, str(error), seconds(1))
    assert sensor.look(seconds(6.1)) == Seen(seconds(6.1), None, False, str(error), seconds(1))
    probe.says = 2.0
    assert sensor.look(seconds(7)) == Seen(seconds(7), 2.0, False, None, seconds(7))


def test_no_value_this_time_is_no_failure_and_no_old_value() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.look(seconds(1))
    probe.says = None
    assert sensor.look(seconds(2)) == Seen(seconds(2), None, False, None, seconds(2))


def test_an_error_in_a_part_of_a_value() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe, error_in=lambda c: "one is lost" if c > 1 else None)
    sensor.look(seconds(1))
    probe.says = 2.0
    assert sensor.look(seconds(2)) == Seen(seconds(2), 2.0, False, "one is lost", seconds(1))


def test_it_counts_from_the_first_look_where_it_never_answered() -> None:
    sensor = Sensor("heat", lambda: Scripted(says=ValueError("never")))
    sensor.look(seconds(1))
    assert sensor.look(seconds(9)).good_ns == seconds(1)


def test_one_that_went_and_comes_back_counts_anew() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.look(seconds(1))
    probe.present = False
    sensor.look(seconds(2))
    probe.present, probe.says = True, ValueError("broken")
    assert sensor.look(seconds(30)).good_ns == seconds(30)
    probe.present = False
    sensor.look(seconds(31))
    scans = probe.scans
    sensor.look(seconds(40))
    assert probe.scans == scans  # what is absent does not fail


def test_one_that_cannot_be_made_has_failed_and_is_made_again() -> None:
    tries = iter([OSError(errno.EIO, "no listing"), None])

    def make() -> Scripted:
        if (error := next(tries)) is not None:
            raise error
        return Scripted()

    sensor = Sensor("heat", make)
    assert "no listing" in str(sensor.look(seconds(1)).error)
    assert sensor.look(seconds(2)).value == 1.0


def test_files_are_looked_for_every_minute_and_every_five_seconds_while_it_fails() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    for at_s in range(60):
        sensor.look(seconds(at_s))
    assert probe.scans == 0
    sensor.look(seconds(60))
    assert probe.scans == 1
    probe.says = ValueError("broken")
    for at_s in range(61, 72):
        sensor.look(seconds(at_s))
    assert probe.scans == 3


def test_files_are_looked_for_at_once_when_the_device_went_and_not_at_each_look_after() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.look(seconds(0))
    probe.says = OSError(errno.ENODEV, "No such device")
    sensor.look(seconds(1))
    assert probe.scans == 0
    for at_s in (2, 3, 4, 5, 6):
        sensor.look(seconds(at_s))
    assert probe.scans == 1


def test_files_are_looked_for_when_asked_to() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.look(0)
    sensor.scan_soon = True
    sensor.look(1)
    sensor.look(2)
    assert probe.scans == 1


def test_a_clock_that_went_back_does_not_stop_the_search() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.look(seconds(1000))
    sensor.look(seconds(10))
    assert probe.scans == 1


def test_a_search_that_fails_leaves_the_sensor_as_it_was() -> None:
    probe = Scripted(scan_error=OSError(errno.EIO, "listing"))
    sensor = Sensor("heat", lambda: probe)
    sensor.look(0)
    assert sensor.look(seconds(60)).value == 1.0
    assert sensor.look(seconds(61)).value == 1.0
    assert probe.scans == 1


def test_closing_before_the_first_look_and_after() -> None:
    probe = Scripted()
    sensor = Sensor("heat", lambda: probe)
    sensor.close()
    assert not probe.closed
    sensor.look(0)
    sensor.close()
    assert probe.closed
