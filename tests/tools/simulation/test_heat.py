import math

import pytest

from tools.simulation.board import Board
from tools.simulation.heat import Heat, Warming, next_stage

BOARD = Board()


@pytest.mark.parametrize("step_s", [0.25, 1.0, 7.0])
def test_a_step_of_power_warms_by_two_exponentials(step_s: float) -> None:
    heat, warming, power_ghz = Heat(), Warming(BOARD, step_s), 1.2
    (chip_c, case_c), (chip_s, case_s) = BOARD.gains_c, BOARD.taus_s
    for number in range(1, round(280 / step_s) + 1):
        now_c = warming.step(heat, power_ghz, 20.0, 1.0)
        at_s = number * step_s
        rise_c = chip_c * (1 - math.exp(-at_s / chip_s)) + case_c * (1 - math.exp(-at_s / case_s))
        assert now_c == pytest.approx(20.0 + BOARD.idle_rise_c + power_ghz * rise_c)


def test_it_cools_to_the_idle_temperature() -> None:
    heat, warming = Heat(chip_c=5.0, case_c=25.0), Warming(BOARD, 10.0)
    for _ in range(400):
        now_c = warming.step(heat, 0.0, 30.0, 1.0)
    assert now_c == pytest.approx(30.0 + BOARD.idle_rise_c, abs=1e-3)


def test_a_fan_that_failed_multiplies_the_rise() -> None:
    rises = []
    for cooling in (1.0, 1.5):
        heat, warming = Heat(), Warming(BOARD, 10_000.0)
        rises.append(warming.step(heat, 1.0, 0.0, cooling) - BOARD.idle_rise_c)
    assert rises[0] == pytest.approx(sum(BOARD.gains_c))
    assert rises[1] == pytest.approx(1.5 * rises[0])


def test_throttling_begins_and_ends_with_a_gap() -> None:
    first_c, second_c = BOARD.throttle_c
    gap_c = BOARD.throttle_gap_c
    stage, seen = 0, []
    for now_c in (
        first_c - 0.1,
        first_c,
        first_c - gap_c + 0.1,
        second_c,
        second_c - gap_c + 0.1,
        second_c - gap_c,
        first_c - gap_c,
    ):
        stage = next_stage(BOARD, stage, now_c)
        seen.append(stage)
    assert seen == [0, 1, 1, 2, 2, 1, 0]
