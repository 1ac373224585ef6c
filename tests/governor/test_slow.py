"""The thread that reads what may hang. Time moves when a test says so; the threads are real."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor import slow
from edge_daemon.governor.kernelfile import text_of
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.sensor import Probe, Sensor
from edge_daemon.governor.slow import MOST_HUNG, SlowSensors
from tests.governor.driver import Driver, Hang, wait_for
from tests.governor.sysroot import BOARDS, board, seconds, write

TEMP = "sys/class/thermal/thermal_zone{}/temp"
BATTERY = "sys/class/power_supply/BAT0/capacity"


def board_of(root: Path, zones: int) -> Path:
    """A board with zones of 50, 51, ... °C, the last one the hottest, and a battery of 80 %."""
    for number in range(zones):
        write(root, {TEMP.format(number): f"{50_000 + 1000 * number}\n"})
        write(root, {f"sys/class/thermal/thermal_zone{number}/type": f"zone{number}\n"})
    supply = "sys/class/power_supply/BAT0"
    write(root, {f"{supply}/type": "Battery\n", f"{supply}/status": "Discharging\n"})
    return write(root, {BATTERY: "80\n"})


def readers() -> int:
    return sum(thread.name == "sensors" for thread in threading.enumerate())


def open_below(root: Path) -> int:
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum(str(path.readlink()).startswith(f"{root}/") for path in links)


def resting(probes: Probes) -> bool:
    """Whether the reader has done all that it was asked to."""
    sensors = probes._slow
    assert sensors is not None
    reader = sensors._reader
    answered = all(map(sensors._answered, sensors._sensors))
    return reader is not None and reader.at is None and answered


class Board:
    """Probes that read apart, on a clock that moves a second from one reading to the next."""

    def __init__(self, root: Path) -> None:
        self.clock = VirtualClock(seconds(100))
        self.asleep_ns = 0
        self.probes = Probes(
            root, self.clock, awake_clock=lambda: self.clock() - self.asleep_ns, apart=True
        )

    def pass_s(self, time_s: float) -> None:
        self.clock.advance_to(self.clock() + seconds(time_s))

    def reading(self, hang: Hang | None = None) -> Reading:
        """Take the reading of the next second; with `hang`, as soon as the reader hangs there."""
        self.pass_s(0.9)
        self.probes.prepare()
        if hang is None:
            wait_for(self.rests)
        else:
            wait_for(hang.begun.is_set)
        self.pass_s(0.1)
        return self.probes.read()

    def rests(self) -> bool:
        return resting(self.probes)

    def settles(self) -> bool:
        """Whether all that was given up is over; time stands still."""
        self.probes.prepare()
        return readers() == 1 and self.rests()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    wait_for(lambda: readers() == 0)
    driver = Driver(monkeypatch)
    yield driver
    driver.heal()


@pytest.fixture
def pi(tmp_path: Path, driver: Driver) -> Iterator[Board]:
    pi = Board(board_of(tmp_path, zones=3))
    yield pi
    driver.heal()
    pi.probes.close()
    wait_for(lambda: readers() == 0)


@pytest.mark.parametrize("name", [path.name for path in BOARDS.iterdir() if path.is_dir()])
def test_a_thread_apart_reads_the_same(name: str, driver: Driver) -> None:
    clock = VirtualClock(seconds(100))
    apart = Probes(board(name), clock, awake_clock=clock, apart=True)
    here = Probes(board(name), clock, awake_clock=clock)
    apart.prepare()
    wait_for(lambda: resting(apart))
    read, expected = apart.read(), here.read()
    apart.close()
    here.close()
    assert (read.temperature_c, read.temperature_zone) == (
        expected.temperature_c,
        expected.temperature_zone,
    )
    assert (read.battery_fraction, read.on_mains) == (
        expected.battery_fraction,
        expected.on_mains,
    )
    assert (read.power_w, read.throttled) == (expected.power_w, expected.throttled)
    assert (read.absent, read.failed) == (expected.absent, expected.failed)


def test_there_is_one_thread_and_it_ends_when_all_is_closed(pi: Board) -> None:
    assert readers() == 0
    for _ in range(3):
        assert pi.reading().temperature_c == 52.0
    assert readers() == 1
    pi.probes.close()
    assert readers() == 0


def test_without_apart_there_is_no_thread(tmp_path: Path, driver: Driver) -> None:
    clock = VirtualClock()
    probes = Probes(board_of(tmp_path, zones=1), clock, awake_clock=clock)
    probes.prepare()
    assert probes.read().temperature_c == 50.0
    assert readers() == 0
    probes.close()


def test_before_the_first_answer_nothing_is_known_and_nothing_has_failed(
    pi: Board, driver: Driver
) -> None:
    reading = pi.reading(driver.hang("zone0/type"))
    assert reading.temperature_c is None
    assert reading.battery_fraction is None
    assert reading.failed == {}
    assert reading.absent == ("cpu", "memory")  # those are looked for at once


def test_a_reading_that_nobody_prepared_finds_the_answers_the_next_time(pi: Board) -> None:
    assert pi.probes.read().temperature_c is None
    wait_for(pi.rests)
    assert pi.probes.read().temperature_c == 52.0


def test_a_reading_does_not_wait_for_a_sensor(pi: Board, driver: Driver) -> None:
    pi.reading()
    hang = driver.hang("zone1/temp")
    reading = pi.reading(hang)
    assert reading.temperature_c == 52.0  # of the last reading
    assert reading.failed == {}


def test_a_file_that_hangs_is_all_that_is_lost(pi: Board, driver: Driver, tmp_path: Path) -> None:
    pi.reading()
    hang = driver.hang("zone2/temp")
    pi.reading(hang)
    write(tmp_path, {TEMP.format(1): "53500\n", BATTERY: "70\n"})
    pi.pass_s(10.0)  # the battery is asked every few seconds only
    reading = pi.reading()
    assert reading.temperature_c == 53.5
    assert reading.battery_fraction == 0.7
    assert list(reading.failed) == ["temperature"]
    assert "zone2: " in reading.failed["temperature"]
    assert "thermal_zone2/temp has not answered for 11 s" in reading.failed["temperature"]
    assert reading.failed_s == {"temperature": 12.1}  # since just before the first reading
    assert readers() == 2


def test_the_last_value_of_a_file_that_hangs_counts_for_five_seconds(
    pi: Board, driver: Driver
) -> None:
    pi.reading()
    pi.reading(driver.hang("zone2/temp"))
    values = [pi.reading().temperature_c for _ in range(6)]
    assert values == [52.0, 52.0, 52.0, 52.0, 51.0, 51.0]


def test_a_file_that_answers_at_last_is_taken_back_and_its_thread_ends(
    pi: Board, driver: Driver
) -> None:
    pi.reading()
    pi.reading(driver.hang("zone2/temp"))
    pi.reading()
    pi.reading()
    assert readers() == 2
    driver.heal()
    wait_for(lambda: readers() == 1)
    resting = pi.reading()
    assert "took 2 s to answer and is asked again in 9 s" in resting.failed["temperature"]
    for _ in range(9):
        assert pi.reading().temperature_c in (52.0, 51.0)
    back = pi.reading()
    assert back.temperature_c == 52.0
    assert back.failed == {}


def test_what_a_given_up_thread_read_at_last_counts_for_nothing(pi: Board, driver: Driver) -> None:
    hang = driver.hang("zone2/temp")
    driver.answer("zone2/temp", b"149000")
    pi.reading(hang)
    assert pi.reading().temperature_c == 51.0
    hang.end()
    wait_for(lambda: readers() == 1)
    for _ in range(5):
        assert pi.reading().temperature_c == 51.0


def test_a_file_that_hangs_again_costs_one_thread_again(pi: Board, driver: Driver) -> None:
    pi.reading()
    for _ in range(3):
        hang = driver.hang("zone0/temp")
        pi.reading(hang)
        assert pi.reading().temperature_c == 52.0
        assert readers() == 2
        driver.heal()
        wait_for(lambda: readers() == 1)
        pi.pass_s(10.0)
        pi.reading()
        assert pi.reading().failed == {}


def test_files_that_hang_one_after_the_other_cost_a_thread_each(pi: Board, driver: Driver) -> None:
    pi.reading()
    hangs = [driver.hang(f"zone{number}/temp") for number in (0, 1)]
    pi.reading(hangs[0])
    pi.reading(hangs[1])
    reading = pi.reading()
    assert reading.temperature_c == 52.0
    assert readers() == 3
    assert reading.failed["temperature"].count("has not answered for") == 2


def test_threads_that_hang_are_bounded(tmp_path: Path, driver: Driver) -> None:
    pi = Board(board_of(tmp_path, zones=MOST_HUNG + 4))
    pi.reading()
    hangs = [driver.hang(f"zone{number}/temp") for number in range(MOST_HUNG + 4)]
    for hang in hangs[: MOST_HUNG + 1]:
        pi.reading(hang)
    assert readers() == MOST_HUNG + 1
    for _ in range(20):
        reading = pi.reading(hangs[MOST_HUNG])
    assert readers() == MOST_HUNG + 1
    assert reading.temperature_c is None
    assert reading.battery_fraction is None
    assert f"thermal_zone{MOST_HUNG}/temp has not answered for 20 s" in reading.failed["battery"]
    driver.heal()
    wait_for(lambda: readers() == 1)
    wait_for(pi.settles)
    pi.pass_s(10.0)
    pi.reading()
    assert pi.reading().failed == {}
    pi.probes.close()


def test_a_battery_that_hangs_leaves_the_heat_alone(pi: Board, driver: Driver) -> None:
    pi.reading()
    pi.pass_s(10.0)
    hang = driver.hang("BAT0/capacity")
    pi.reading(hang)
    reading = pi.reading()
    assert reading.temperature_c == 52.0
    assert list(reading.failed) == ["battery"]
    assert "BAT0/capacity has not answered for 1 s" in reading.failed["battery"]


def test_a_file_may_hang_as_it_is_opened_and_nothing_stays_open(
    pi: Board, driver: Driver, tmp_path: Path
) -> None:
    hang = driver.hang("zone2/temp", opening=True)
    pi.reading(hang)
    assert pi.reading().temperature_c == 51.0
    driver.heal()
    wait_for(lambda: readers() == 1)
    pi.pass_s(60.0)  # a zone that never spoke is asked again at the next scan
    pi.reading()
    assert pi.reading().temperature_c == 52.0
    pi.probes.close()
    assert open_below(tmp_path) == 0


def test_the_search_for_sensors_may_hang(pi: Board, driver: Driver) -> None:
    hang = driver.hang("zone1/type")
    pi.reading(hang)
    reading = pi.reading()
    assert reading.temperature_c == 52.0
    assert reading.battery_fraction == 0.8
    assert reading.failed == {}  # of zone1 nothing is known at all
    assert readers() == 2


def test_a_search_that_hung_is_begun_again(pi: Board, driver: Driver) -> None:
    pi.reading()
    pi.probes.ignore_zones(("zone2",))
    pi.reading(driver.hang("zone0/type"))
    assert pi.reading().temperature_c == 51.0


def test_what_hangs_as_it_is_opened_while_it_is_looked_for_again_does_not_stay_open(
    pi: Board, driver: Driver, tmp_path: Path
) -> None:
    pi.reading(driver.hang("BAT0/capacity", opening=True))
    for _ in range(8):
        assert list(pi.reading().failed) == ["battery"]
    driver.heal()
    wait_for(lambda: readers() == 1)
    pi.probes.close()
    assert open_below(tmp_path) == 0


def test_a_slow_sensor_is_no_sensor_that_hangs(pi: Board, driver: Driver) -> None:
    pi.reading()
    hang = driver.hang("zone2/temp")
    pi.reading(hang)  # 0.1 s
    pi.pass_s(0.5)
    pi.probes.prepare()
    assert readers() == 1
    driver.heal()
    wait_for(pi.rests)
    assert pi.reading().failed == {}


def test_a_sensor_that_does_not_answer_has_failed_even_while_nobody_may_replace_its_reader(
    pi: Board, driver: Driver
) -> None:
    pi.reading()
    pi.reading(driver.hang("zone0/temp"))
    pi.pass_s(2.9)
    assert pi.probes.read().failed == {}
    pi.probes._prepared = True
    pi.pass_s(0.2)
    reading = pi.probes.read()
    assert set(reading.failed) == {"temperature", "battery"}


def test_an_old_value_of_a_sensor_that_fails_does_not_count_for_longer_by_a_hang(
    pi: Board, driver: Driver, tmp_path: Path
) -> None:
    pi.reading()
    write(tmp_path, {TEMP.format(2): "0"})
    assert pi.reading().temperature_c == 52.0
    pi.reading(driver.hang("zone1/temp"))
    pi.probes._prepared = True  # nobody looks for what hangs
    pi.pass_s(2.95)
    assert pi.probes.read().temperature_c is None


def test_after_a_suspend_nothing_from_before_counts_and_nothing_has_failed(pi: Board) -> None:
    assert pi.reading().temperature_c == 52.0
    pi.asleep_ns += seconds(3600)
    pi.pass_s(3600)
    reading = pi.probes.read()
    assert reading.temperature_c is None
    assert reading.battery_fraction is None
    assert reading.failed == {}
    wait_for(pi.rests)
    assert pi.reading().temperature_c == 52.0


def test_what_failed_before_a_suspend_has_not_failed_until_it_is_read_again(
    pi: Board, tmp_path: Path
) -> None:
    pi.reading()
    write(tmp_path, {TEMP.format(2): "0"})
    assert list(pi.reading().failed) == ["temperature"]
    pi.asleep_ns += seconds(3600)
    pi.pass_s(3600)
    assert pi.probes.read().failed == {}
    wait_for(pi.rests)
    assert list(pi.reading().failed) == ["temperature"]


def test_a_reading_that_was_prepared_after_a_suspend_counts(pi: Board) -> None:
    pi.reading()
    pi.asleep_ns += seconds(3600)
    pi.pass_s(3600)
    assert pi.reading().temperature_c == 52.0


def test_a_suspend_is_no_hang(pi: Board, driver: Driver) -> None:
    pi.reading()
    hang = driver.hang("zone2/temp")
    pi.reading(hang)
    pi.asleep_ns += seconds(3600)
    pi.pass_s(3600)
    assert pi.probes.read().failed == {}
    pi.probes.prepare()
    assert readers() == 1
    driver.heal()
    wait_for(pi.rests)
    assert pi.reading().failed == {}


def test_zones_are_left_out_from_the_next_reading_on(pi: Board) -> None:
    pi.reading()
    pi.probes.ignore_zones(("zone2",))
    assert pi.reading().temperature_c == 51.0
    pi.probes.ignore_zones(())
    assert pi.reading().temperature_c == 52.0


def test_closing_leaves_a_thread_behind_that_hangs(
    pi: Board, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "_CLOSE_S", 0.01)
    pi.reading(driver.hang("zone2/temp"))
    pi.probes.close()
    assert readers() == 1
    driver.heal()
    wait_for(lambda: readers() == 0)


def test_a_closed_one_starts_no_thread(pi: Board) -> None:
    pi.reading()
    pi.probes.close()
    pi.pass_s(30)
    pi.probes.prepare()
    pi.probes.read()
    assert readers() == 0


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
