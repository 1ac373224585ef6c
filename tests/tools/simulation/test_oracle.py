import itertools
from dataclasses import replace

import numpy as np
import pytest

from edge_daemon.tier import TIERS, Tier
from tests.tools.simulation.made import BOARD, flat
from tools.simulation.board import Board
from tools.simulation.effects import effects
from tools.simulation.heat import Heat, Warming
from tools.simulation.loop import simulate
from tools.simulation.oracle import plan
from tools.simulation.policies.planned import Planned
from tools.simulation.trace import Trace

STEPS = 4  # in a second


def seconds(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return an array of steps from one value for each second."""
    return np.repeat(np.array(values), STEPS)


def achieved(trace: Trace, board: Board, ranks: tuple[int, ...]) -> float:
    """Return the mean utility of a plan, stepped through; 0 where the charge ends before."""
    happens = effects(trace, board)
    heat, warming = Heat(), Warming(board, trace.step_s)
    heat.case_c = 0.5 * board.gains_c[1] * trace.cooling[0] * happens.power_ghz[0, 0, 0]
    left_wh = trace.battery_wh if trace.battery_wh is not None else float("inf")
    rank, total, lost_s = 0, 0.0, 0.0
    for step in range(trace.steps):
        if step > 0:  # the first reading comes after the first step
            wanted = ranks[int(step * trace.step_s)]
            lost_s += board.stall_s(TIERS[rank], TIERS[wanted])
            rank = wanted
        drawn_wh = happens.power_w[step, rank, heat.stage] * trace.step_s / 3600.0
        if not trace.on_mains[step]:
            left_wh -= drawn_wh
            if left_wh < 0.0:
                return 0.0
        stalled_s = min(lost_s, trace.step_s)
        lost_s -= stalled_s
        total += happens.utility[step, rank, heat.stage] * (trace.step_s - stalled_s)
        warming.step(
            heat,
            happens.power_ghz[step, rank, heat.stage],
            trace.ambient_c[step],
            trace.cooling[step],
        )
    return total / trace.duration_s


def best_of_all(trace: Trace, board: Board) -> float:
    count = round(trace.duration_s)
    return max(achieved(trace, board, ranks) for ranks in itertools.product(range(4), repeat=count))


def of_plan(trace: Trace, board: Board) -> float:
    return achieved(trace, board, tuple(plan(trace, effects(trace, board), board).ranks.tolist()))


@pytest.mark.parametrize("seed", range(4))
def test_it_is_as_good_as_trying_everything(seed: int) -> None:
    random = np.random.default_rng(seed)
    board = replace(BOARD, stall_up_s=0.2, stall_down_s=0.1)
    trace = flat(
        duration_s=6.0,
        foreign=seconds(*random.uniform(0.2, 2.2, 6)),
        neighbours_mib=seconds(*random.uniform(880.0, 1000.0, 6)),
    )
    assert of_plan(trace, board) == pytest.approx(best_of_all(trace, board), abs=2e-4)


def test_a_swap_that_does_not_pay_is_not_made() -> None:
    # `high` would bring 0.003 in a second, and the stall to get there costs hundreds of those.
    trace = flat(duration_s=5.0, foreign=0.1)
    ranks = plan(trace, effects(trace, BOARD), BOARD).ranks
    assert ranks.tolist() == [0] * 5
    free = BOARD.without_stalls()
    assert plan(trace, effects(trace, free), free).ranks.tolist() == [3] * 5


@pytest.mark.parametrize(
    ("clocks", "ambient_c"), [((1.0, 0.3, 0.3), 51.8), ((1.0, 1.0, 0.3), 56.8)]
)
def test_it_sees_heat_coming(clocks: tuple[float, float, float], ambient_c: float) -> None:
    # Throttling would be a disaster here, and only the cheaper tiers keep below it to the end.
    board = replace(BOARD, stall_up_s=0.0, stall_down_s=0.0, taus_s=(0.05, 10.0), clocks=clocks)
    trace = flat(duration_s=1.75, foreign=0.3, ambient_c=np.full(7, ambient_c), step_s=1.0)
    found, best = of_plan(trace, board), best_of_all(trace, board)
    assert found == pytest.approx(best, abs=1e-3)
    for tier in (Tier.MEDIUM, Tier.HIGH):
        assert best > achieved(trace, board, (tier.rank,) * 7) + 1e-3


def test_charge_is_spent_to_the_end_and_no_further() -> None:
    board = replace(BOARD, stall_up_s=0.0, stall_down_s=0.0)
    trace = flat(duration_s=6.0, foreign=0.1, on_mains=np.zeros(6 * STEPS, dtype=np.bool_))
    happens = effects(trace, board)
    least_wh, most_wh = (
        happens.power_w[0, tier.rank, 0] * 6.0 / 3600.0 for tier in (Tier.CRITICAL, Tier.HIGH)
    )
    scarce = replace(trace, battery_wh=0.5 * (least_wh + most_wh))
    solved = plan(scarce, happens, board)
    assert solved.price > 0.0
    found = achieved(scarce, board, tuple(solved.ranks.tolist()))
    assert found == pytest.approx(best_of_all(scarce, board), abs=0.01)
    assert found <= solved.value + 1e-6
    assert len(set(solved.ranks.tolist())) > 1


def test_a_charge_that_lasts_has_no_price() -> None:
    trace = flat(duration_s=6.0, on_mains=np.zeros(24, dtype=np.bool_), battery_wh=10.0)
    assert plan(trace, effects(trace, BOARD), BOARD).price == 0.0


def test_the_loop_gives_what_the_plan_promises() -> None:
    random = np.random.default_rng(5)
    foreign = seconds(*np.repeat(random.uniform(0.1, 1.8, 12), 10))
    trace = flat(duration_s=120.0, foreign=foreign)
    happens = effects(trace, BOARD)
    solved = plan(trace, happens, BOARD)
    run = simulate(trace, happens, BOARD, lambda: Planned(solved.ranks.tolist()))
    assert float(run.utility.mean()) == pytest.approx(solved.value, abs=2e-3)
    assert run.tier[STEPS * 5] == solved.ranks[5]
