from dataclasses import replace

import numpy as np
import pytest

from tests.tools.simulation.made import BOARD, flat
from tools.simulation.figures import figures
from tools.simulation.run import Run
from tools.simulation.trace import Trace

HOUR = flat(duration_s=3600.0)


def made(trace: Trace = HOUR, moves: tuple[tuple[float, int], ...] = (), **others: object) -> Run:
    """Return a run in `low` that moves to a rank at the times given, asked every second."""
    steps = trace.steps
    tier = np.ones(steps, np.int8)
    switched, ranks, rank = [], [], 1
    for at_s, after in moves:
        step = round(at_s / 0.25)
        switched.append(step)
        ranks.append((rank, after))
        tier[step + 1 :] = after
        rank = after
    fields: dict[str, object] = {
        "tier": tier,
        "utility": np.full(steps, 0.85),
        "missed": np.zeros(steps),
        "violated": np.zeros(steps, dtype=np.bool_),
        "temperature_c": np.full(steps, 60.0),
        "stage": np.zeros(steps, np.int8),
        "energy_wh": np.zeros(steps),
        "free_mib": np.full(steps, 100.0),
        "load": np.full(steps, 0.3),
        "polled": np.arange(3, steps, 4),
        "switched": np.array(switched, np.int64),
        "ranks": np.array(ranks, np.int64).reshape(-1, 2),
    }
    fields.update(others)
    return Run(step_s=0.25, **fields)  # type: ignore[arg-type]


def test_a_run_without_events() -> None:
    found = figures(made(), HOUR, BOARD)
    assert found.utility == pytest.approx(0.85)
    assert (found.switches, found.reversals, found.late_switches) == (0.0, 0.0, 0)
    assert (found.violation, found.missed, found.off, found.hot) == (0.0, 0.0, 0.0, 0.0)
    assert found.delay_polls == 0
    assert found.polls_hz == pytest.approx(1.0)
    assert found.tiers == (0.0, 1.0, 0.0, 0.0)


def test_reversals_are_soon_and_the_other_way() -> None:
    moves = ((10.0, 2), (30.0, 1), (100.0, 2), (140.0, 1), (150.0, 0), (200.0, 1))
    found = figures(made(moves=moves), HOUR, BOARD)
    assert found.switches == pytest.approx(6.0)
    assert found.reversals == pytest.approx(1.0)
    assert found.late_switches == 4


def test_shares() -> None:
    steps = HOUR.steps
    quarter = np.arange(steps) < steps // 4
    tier = np.where(quarter, -1, 3).astype(np.int8)
    warm = np.where(quarter, 60.0, 80.0)
    missed = np.where(quarter, 0.0, 0.02)
    found = figures(
        made(tier=tier, temperature_c=warm, missed=missed, violated=quarter), HOUR, BOARD
    )
    assert found.off == pytest.approx(0.25)
    assert found.hot == pytest.approx(0.75)
    assert found.hottest_c == 80.0
    assert found.missed == pytest.approx(0.02)  # of the windows that were due
    assert found.violation == pytest.approx(0.25)
    assert found.tiers == (0.0, 0.0, 0.0, 1.0)


def between(first_s: float, last_s: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    at_s = np.arange(HOUR.steps) * 0.25
    return (at_s >= first_s) & (at_s < last_s)


@pytest.mark.parametrize(("down_s", "polls"), [(100.75, 1), (101.75, 2), (104.75, 5)])
def test_the_delay_counts_polls_until_the_move_down(down_s: float, polls: int) -> None:
    short = np.where(between(100.0, 130.0), 5.0, 100.0)
    found = figures(made(moves=((down_s, 0),), free_mib=short), HOUR, BOARD)
    assert found.delay_polls == polls


def test_an_event_that_ends_by_itself_counts_its_polls() -> None:
    short = np.where(between(100.0, 103.0), 5.0, 100.0)
    assert figures(made(free_mib=short), HOUR, BOARD).delay_polls == 3
    almost = np.where(between(100.0, 103.0), 13.0, 100.0)
    assert figures(made(free_mib=almost), HOUR, BOARD).delay_polls == 0


def test_heat_is_an_event_and_a_sensor_that_is_lost_none() -> None:
    hot = np.where(between(100.0, 104.0), BOARD.critical_c - 3.0, 60.0)
    run = made(temperature_c=hot)
    assert figures(run, HOUR, BOARD).delay_polls == 4
    blind = replace(HOUR, lost={"temperature": between(90.0, 110.0)})
    assert figures(run, blind, BOARD).delay_polls == 0


@pytest.mark.parametrize(("stall_s", "blind_s"), [(2.75, 0.0), (3.0, 0.25), (5.0, 2.25)])
def test_pictures_are_answered_while_the_last_answer_is_young(
    stall_s: float, blind_s: float
) -> None:
    stalled = np.where(between(100.0, 100.0 + stall_s), 1.0, 0.0)
    found = figures(made(missed=stalled), HOUR, BOARD)
    assert found.unanswered == pytest.approx(blind_s / 3600.0)


def test_answers_need_memory_and_power_and_no_charge_excuses() -> None:
    gone = between(600.0, 960.0)
    answered_s = 2.75  # the last answers before it count for a while
    short = figures(made(violated=gone), HOUR, BOARD)
    assert short.unanswered == pytest.approx((360.0 - answered_s) / 3600.0)
    off = np.where(gone, -1, 1).astype(np.int8)
    too_hot = figures(made(tier=off), HOUR, BOARD)
    assert too_hot.unanswered == pytest.approx((360.0 - answered_s) / 3600.0)
    empty = replace(HOUR, on_mains=~gone, battery_wh=2.0)
    assert figures(made(tier=off), empty, BOARD).unanswered == 0.0
    charged = replace(HOUR, battery_wh=2.0)
    assert figures(made(tier=off), charged, BOARD).unanswered == too_hot.unanswered


def test_critical_has_nowhere_to_go() -> None:
    short = np.where(between(100.0, 130.0), 5.0, 100.0)
    still = made(tier=np.zeros(HOUR.steps, np.int8), free_mib=short)
    assert figures(still, HOUR, BOARD).delay_polls == 0
