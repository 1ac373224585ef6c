"""Readings whose slow sensors are read by a thread apart."""

from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor import slow
from edge_daemon.governor.probes import Probes
from tests.governor.apart import TEMP, Board, board_of, readers, resting
from tests.governor.driver import Driver, wait_for
from tests.governor.sysroot import BOARDS, board, seconds, write


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
