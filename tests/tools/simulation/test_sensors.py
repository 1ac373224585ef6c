from dataclasses import replace

import numpy as np
import pytest

from edge_daemon.governor.firmware import THROTTLED
from edge_daemon.tier import Tier
from tests.tools.simulation.made import BOARD, Noting, flat, played
from tools.simulation.board import Board
from tools.simulation.sensors import HOLD_S

FREE = BOARD.without_stalls()


def test_readings_tell_about_what_there_is() -> None:
    watched = Noting([Tier.MEDIUM])
    run = played(flat(duration_s=300.0, foreign=0.4), watched, FREE)
    readings = watched.readings[5:]
    own = BOARD.own_load(Tier.MEDIUM)
    foreign = np.array([reading.cpu_foreign for reading in readings])
    # A tenth of the daemon's own work looks like somebody else's.
    assert foreign.mean() == pytest.approx(0.4 + 0.1 * own, abs=0.005)
    assert foreign.std() > 0.005
    assert np.mean([r.cpu_own for r in readings]) == pytest.approx(0.9 * own, abs=0.001)
    assert np.mean([r.memory_available_mib for r in readings]) == pytest.approx(264.0, abs=1.0)
    assert readings[-1].temperature_c == pytest.approx(run.temperature_c[-1], abs=1.5)
    assert np.mean([r.cycle_ms for r in readings]) == pytest.approx(18.2 * 1.0533, rel=0.01)
    assert all(reading.cycles == 25 for reading in readings)
    assert all(reading.absent == ("battery",) and not reading.failed for reading in readings)
    assert {reading.on_mains for reading in readings} == {None}


def test_loads_come_in_ticks_and_temperatures_in_half_degrees() -> None:
    watched = Noting([Tier.LOW])
    played(flat(duration_s=30.0), watched, FREE)
    for reading in watched.readings[1:]:
        assert reading.cpu_foreign is not None and reading.temperature_c is not None
        ticks = reading.cpu_foreign * 100 * BOARD.cores
        assert ticks == pytest.approx(round(ticks), abs=1e-6)
        assert (2 * reading.temperature_c).is_integer()


def test_a_full_board_shows_no_more_than_its_cores_and_that_something_waits() -> None:
    watched = Noting([Tier.LOW])
    played(flat(duration_s=30.0, foreign=2.0), watched, FREE)
    last = watched.readings[-1]
    assert last.cpu_foreign is not None and last.cpu_own is not None
    assert last.cpu_foreign + last.cpu_own <= 1.05
    assert last.cpu_pressure == pytest.approx(1.0)


@pytest.mark.parametrize("board", [BOARD, FREE])
def test_a_swap_hides_the_windows_times(board: Board) -> None:
    watched = Noting([Tier.LOW, Tier.LOW, Tier.HIGH, Tier.HIGH])
    played(flat(duration_s=6.0), watched, board)
    known = [reading.cycle_tier for reading in watched.readings]
    assert known[3] is None and known[-1] is Tier.HIGH


def test_the_same_noise_for_everyone() -> None:
    one, other = Noting([Tier.LOW]), Noting([Tier.LOW])
    played(flat(), one)
    played(flat(), other)
    assert one.readings == other.readings
    quiet, loud = Noting([Tier.LOW]), Noting([Tier.LOW])
    played(flat(duration_s=200.0, noise=0.0), quiet)
    played(flat(duration_s=200.0, noise=3.0), loud)
    spread = [
        np.std([r.memory_available_mib or 0.0 for r in each.readings[2:]]) for each in (quiet, loud)
    ]
    assert spread[0] == 0.0
    assert spread[1] == pytest.approx(6.0, rel=0.2)


def test_a_lost_sensor_holds_its_value_and_then_has_none() -> None:
    trace = flat(duration_s=40.0)
    lost = np.zeros(trace.steps, dtype=np.bool_)
    lost[round(10 / 0.25) : round(30 / 0.25)] = True
    watched = Noting([Tier.LOW])
    played(replace(trace, lost={"temperature": lost}), watched, FREE)
    for reading in watched.readings[1:]:
        now_s = reading.time_ns / 1e9
        if not 10.1 < now_s < 30.1:
            assert not reading.failed and reading.temperature_c is not None
        else:
            assert set(reading.failed) == {"temperature"}
            if now_s < 10.0 + HOLD_S - 1.0:
                assert reading.temperature_c is not None
            if now_s > 10.0 + HOLD_S + 1.0:
                assert reading.temperature_c is None
        assert reading.memory_available_mib is not None


def test_the_battery_says_its_charge_in_percent_and_how_long_it_lasts() -> None:
    trace = flat(duration_s=60.0)
    off = np.zeros(trace.steps, dtype=np.bool_)
    watched = Noting([Tier.LOW])
    run = played(replace(trace, on_mains=off, battery_wh=1.0), watched, FREE)
    last = watched.readings[-1]
    assert last.battery_fraction is not None and last.power_w is not None
    assert 100 * last.battery_fraction == pytest.approx(round(100 * last.battery_fraction))
    assert last.battery_fraction == pytest.approx(run.energy_wh[-1], abs=0.006)
    assert last.power_w == pytest.approx(2.7 + 3.7 * 0.278, rel=0.1)
    assert last.runtime_s == pytest.approx(last.battery_fraction / last.power_w * 3600.0)
    assert last.on_mains is False and last.absent == ()


def test_throttling_is_flagged() -> None:
    trace = flat(duration_s=30.0)
    watched = Noting([Tier.LOW])
    run = played(replace(trace, ambient_c=np.full(trace.steps, 58.0)), watched, FREE)
    assert run.stage[-1] > 0
    assert watched.readings[-1].throttled == (THROTTLED,)
