"""The thread that reads what may hang, without a board."""

import random
import threading
import time
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor import slow
from edge_daemon.governor.kernelfile import text_of
from edge_daemon.governor.sensor import Probe, Sensor
from edge_daemon.governor.slow import MOST_HUNG, SlowSensors
from tests.governor.apart import Board, board_of, open_below, readers
from tests.governor.driver import Driver, Hang, wait_for
from tests.governor.sysroot import seconds


class Stuck:
    """A probe that hangs in its own code, between two files, until it is let go."""

    present = True

    def __init__(self) -> None:
        self.hang = Hang()
        self.reads = 0
        self.ended = 0

    def scan(self) -> None:
        """Find nothing new."""

    def read(self, now_ns: int) -> float:
        self.reads += 1
        text_of(Path("/proc/self/comm"))
        if self.reads == 1:
            self.hang()
        text_of(Path("/proc/self/comm"))
        self.ended += 1
        return float(self.reads)

    def close(self) -> None:
        """Close nothing."""


class Fine(Stuck):
    def read(self, now_ns: int) -> float:
        self.reads += 1
        return float(self.reads)


def both(first: Probe[float], clock: VirtualClock) -> tuple[Sensor[float], ...]:
    return Sensor("first", lambda: first), Sensor("second", Fine)


def test_what_hangs_outside_a_file_costs_its_sensor_and_no_other(driver: Driver) -> None:
    clock, probe = VirtualClock(seconds(1)), Stuck()
    first, second = both(probe, clock)
    sensors = SlowSensors((first, second), clock, clock)
    sensors.prepare()
    wait_for(probe.hang.begun.is_set)
    clock.advance_to(seconds(5))
    sensors.prepare()
    wait_for(lambda: second.seen is not None)
    assert sensors.latest(second, clock()).value == 1.0
    assert sensors.latest(first, clock()).error == "first has not answered for 4 s"
    assert probe.reads == 1  # nobody else touches it
    probe.hang.end()
    wait_for(lambda: readers() == 1)
    assert probe.ended == 0
    assert first.seen is None
    clock.advance_to(seconds(16))
    sensors.prepare()
    wait_for(lambda: first.seen is not None)
    assert sensors.latest(first, clock()).value == 2.0
    sensors.close()


class StuckAtItsEnd(Stuck):
    def read(self, now_ns: int) -> float:
        self.reads += 1
        if self.reads == 1:
            self.hang()
        return float(self.reads)


def test_a_value_that_comes_after_its_thread_was_given_up_is_thrown_away(driver: Driver) -> None:
    clock, probe = VirtualClock(seconds(1)), StuckAtItsEnd()
    first, second = both(probe, clock)
    sensors = SlowSensors((first, second), clock, clock)
    sensors.prepare()
    wait_for(probe.hang.begun.is_set)
    clock.advance_to(seconds(5))
    sensors.prepare()
    wait_for(lambda: second.seen is not None)
    probe.hang.end()
    wait_for(lambda: readers() == 1)
    assert first.seen is None
    sensors.close()


class Broken(Fine):
    def read(self, now_ns: int) -> float:
        raise ZeroDivisionError("a bug")


def test_a_bug_in_a_probe_is_raised_where_it_is_seen(driver: Driver) -> None:
    clock = VirtualClock(seconds(1))
    sensors = SlowSensors(both(Broken(), clock), clock, clock)
    sensors.prepare()
    wait_for(lambda: readers() == 0)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        sensors.prepare()


def test_no_memory_for_a_thread_is_got_over(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    clock = VirtualClock(seconds(1))
    first, second = both(Fine(), clock)
    sensors = SlowSensors((first, second), clock, clock)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        sensors.prepare()
    assert "can't start new thread" in caplog.text
    clock.advance_to(seconds(6))
    assert sensors.latest(first, clock()).error == "first has not been looked at for 5 s"
    sensors.prepare()
    wait_for(lambda: second.seen is not None)
    sensors.close()


def test_no_memory_for_another_thread_is_got_over_as_well(
    pi: Board, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pi.reading(driver.hang("zone2/temp"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        pi.pass_s(1.0)
        pi.probes.prepare()
    assert pi.reading().temperature_c == 51.0


def test_one_that_was_closed_before_it_began_starts_no_thread(driver: Driver) -> None:
    clock = VirtualClock(seconds(1))
    sensors = SlowSensors(both(Fine(), clock), clock, clock)
    sensors.close()
    sensors.prepare()
    assert sensors._thread is None


def test_threads_that_are_given_up_at_any_moment_leave_nothing_wrong(
    tmp_path: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever is in the middle of something when it is asked again hangs, and rests no time.
    monkeypatch.setattr(slow, "HUNG_S", 0.0)
    monkeypatch.setattr(slow, "REST_S", 0.0)
    pi = Board(board_of(tmp_path, zones=6))
    chance = random.Random(1)
    given_up = 0
    for _ in range(1500):
        pi.pass_s(1.0)
        pi.probes.prepare()
        time.sleep(chance.choice((0.0, 0.0, 0.0001, 0.0003)))
        reading = pi.probes.read()
        given_up = max(given_up, readers() - 1)
        assert readers() <= MOST_HUNG + 1
        assert reading.temperature_c in (None, 50.0, 51.0, 52.0, 53.0, 54.0, 55.0)
        assert reading.battery_fraction in (None, 0.8)
    assert given_up > 0
    monkeypatch.setattr(slow, "HUNG_S", 1.0)
    wait_for(pi.settles)
    assert readers() == 1
    for _ in range(2):
        pi.pass_s(60.0)  # zones that were never heard are looked for again
        reading = pi.reading()
    assert reading.temperature_c == 55.0
    assert reading.failed == {}
    assert open_below(tmp_path / "sys/class/thermal") == 6
    pi.probes.close()
    wait_for(lambda: readers() == 0)
