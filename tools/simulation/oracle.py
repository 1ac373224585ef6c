"""The clairvoyant: dynamic programming over tier and heat with the whole future known.

Bellman's recursion (1957) over (tier, stage of throttling, heat of the case), the heat on a grid
with linear interpolation; the chip's heat, which settles within seconds, is taken for settled. The
charge is one budget over the whole trace, priced by a Lagrange multiplier that is found by
bisection (Everett 1963). The plan is then walked through with the exact physics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_daemon.tier import TIERS
from tools.simulation.board import Board
from tools.simulation.effects import Effects
from tools.simulation.heat import Heat, Warming, next_stage
from tools.simulation.trace import Trace

DECIDE_S = 1.0
"""Time from one of its decisions to the next."""

_STAGES = 3
_GRID = 96
_BISECTIONS = 14
_DEAREST = 1e7


@dataclass(frozen=True)
class Plan:
    """What the oracle does.

    Attributes:
        ranks: tier of every second, int64.
        value: mean utility that the recursion promises; with a charge, a bound from its dual.
        price: of a Wh, in seconds of utility; 0 where the charge does not bind.
    """

    ranks: NDArray[np.int64]
    value: float
    price: float


@dataclass(frozen=True)
class Stages:
    """A trace in seconds, float64 [seconds, tiers, stages of throttling] where not said otherwise.

    Attributes:
        reward: utility.
        power_ghz: what heats.
        energy_wh: taken from the battery.
        ambient_c: [seconds].
        cooling: [seconds].
    """

    reward: NDArray[np.float64]
    power_ghz: NDArray[np.float64]
    energy_wh: NDArray[np.float64]
    ambient_c: NDArray[np.float64]
    cooling: NDArray[np.float64]


def plan(trace: Trace, effects: Effects, board: Board) -> Plan:
    """Return the best plan for a trace.

    Args:
        trace: the whole future.
        effects: of that trace on that board.
        board: its constants.
    """
    seconds = in_seconds(trace, effects)
    budget_wh = trace.battery_wh
    if budget_wh is None:
        ranks, value, _ = _solve(seconds, board, 0.0)
        return Plan(ranks, value / len(ranks), 0.0)
    ranks, value, used_wh = _solve(seconds, board, 0.0)
    if used_wh <= budget_wh:
        return Plan(ranks, value / len(ranks), 0.0)
    cheap, dear = 0.0, 1.0
    found = _solve(seconds, board, dear)
    while found[2] > budget_wh and dear < _DEAREST:
        cheap, dear = dear, dear * 8.0
        found = _solve(seconds, board, dear)
    bound = min(value, found[1] + dear * budget_wh)
    for _ in range(_BISECTIONS):
        price = 0.5 * (cheap + dear)
        tried = _solve(seconds, board, price)
        bound = min(bound, tried[1] + price * budget_wh)
        if tried[2] > budget_wh:
            cheap = price
        else:
            dear, found = price, tried
    return Plan(found[0], bound / len(found[0]), dear)


def in_seconds(trace: Trace, effects: Effects) -> Stages:
    """Return what the steps of each second amount to; a last part of a second is left out."""
    width = max(1, round(DECIDE_S / trace.step_s))
    count = trace.steps // width

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = values[: count * width]
        return np.asarray(kept.reshape(count, width, *values.shape[1:]).mean(axis=1))

    off_mains = (~trace.on_mains).astype(np.float64)[:, None, None]
    return Stages(
        reward=mean(effects.utility) * DECIDE_S,
        power_ghz=mean(effects.power_ghz),
        energy_wh=mean(effects.power_w * off_mains) * DECIDE_S / 3600.0,
        ambient_c=mean(trace.ambient_c),
        cooling=mean(trace.cooling),
    )


def _solve(seconds: Stages, board: Board, price: float) -> tuple[NDArray[np.int64], float, float]:
    """Return the plan, the value of the priced problem and the energy that the plan takes."""
    values, grid = _backward(seconds, board, price)
    ranks, used_wh = _forward(seconds, board, price, values, grid)
    first = Heat(case_c=_first_case_c(seconds, board))
    at = np.interp(first.case_c, grid, values[0, 0, 0])
    return ranks, float(at), used_wh


def _first_case_c(seconds: Stages, board: Board) -> float:
    return float(0.5 * board.gains_c[1] * seconds.cooling[0] * seconds.power_ghz[0, 0, 0])


def _grid(seconds: Stages, board: Board) -> NDArray[np.float64]:
    """Return the heats of the case that can come up; two where the board cannot get too hot."""
    rise = (seconds.power_ghz.max(axis=(1, 2)) * seconds.cooling).max()
    hottest_c = board.idle_rise_c + sum(board.gains_c) * rise + seconds.ambient_c.max()
    cold = hottest_c < board.throttle_c[0] - board.throttle_gap_c
    return np.linspace(0.0, board.gains_c[1] * rise * 1.001, 2 if cold else _GRID)


def _backward(
    seconds: Stages, board: Board, price: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the value of every state at every second, and the grid of heats.

    The values are float32 [seconds + 1, tiers, stages, grid].
    """
    grid = _grid(seconds, board)
    points, width_c = len(grid), grid[1] - grid[0]
    count, tiers = len(seconds.reward), len(TIERS)
    share = Warming(board, DECIDE_S).case_share
    chip_gain_c, case_gain_c = board.gains_c
    stalls = _stalls(board)
    values = np.zeros((count + 1, tiers, _STAGES, points), np.float32)
    row = np.arange(tiers)[:, None, None] * _STAGES
    first_c, second_c = board.throttle_c
    gap_c = board.throttle_gap_c
    stages = np.arange(_STAGES)[None, :, None]
    enters_second = np.where(stages == 2, np.nextafter(second_c - gap_c, 200.0), second_c)
    enters_first = np.where(stages >= 1, np.nextafter(first_c - gap_c, 200.0), first_c)
    gain = (seconds.reward - price * seconds.energy_wh)[..., None]
    driven = (seconds.power_ghz * seconds.cooling[:, None, None])[..., None]
    kept = (1.0 - share) * grid[None, None, :]
    warm = share * case_gain_c * driven
    around = seconds.ambient_c[:, None, None, None] + board.idle_rise_c + chip_gain_c * driven
    lost = stalls[:, :, None, None]
    for second in range(count - 1, -1, -1):
        case_c = kept + warm[second]
        now_c = case_c + around[second]
        stage = (now_c >= enters_first).astype(np.int64)
        stage[now_c >= enters_second] = 2
        place = case_c / width_c
        left = np.clip(place.astype(np.int64), 0, points - 2)
        part = place - left
        index = (row + stage) * points + left
        ahead = values[second + 1].reshape(-1)
        best = gain[second] + (1.0 - part) * ahead[index] + part * ahead[index + 1]
        if now_c.max() >= board.critical_c:
            best = best - board.off_s * (now_c >= board.critical_c)
        reward = seconds.reward[second][None, :, :, None]
        values[second] = (best[None] - lost * reward).max(axis=1)
    return values, grid


def _forward(
    seconds: Stages,
    board: Board,
    price: float,
    values: NDArray[np.float32],
    grid: NDArray[np.float64],
) -> tuple[NDArray[np.int64], float]:
    """Walk through the trace with the exact physics, each second to the best of what follows."""
    points, width_c = len(grid), float(grid[1] - grid[0])
    warming, stalls = Warming(board, DECIDE_S), _stalls(board).tolist()
    chip_gain_c, case_gain_c = board.gains_c
    heat = Heat(case_c=_first_case_c(seconds, board))
    reward, power = seconds.reward.tolist(), seconds.power_ghz.tolist()
    energy, cooling = seconds.energy_wh.tolist(), seconds.cooling.tolist()
    ambient = seconds.ambient_c.tolist()
    ranks, used_wh, rank = [], 0.0, 0
    for second in range(len(reward)):
        ahead = values[second + 1]
        best, chosen = float("-inf"), rank
        for each in range(len(TIERS)):
            driven = power[second][each][heat.stage] * cooling[second]
            case_c = heat.case_c + warming.case_share * (case_gain_c * driven - heat.case_c)
            chip_c = heat.chip_c + warming.chip_share * (chip_gain_c * driven - heat.chip_c)
            now_c = ambient[second] + board.idle_rise_c + case_c + chip_c
            stage = next_stage(board, heat.stage, now_c)
            left = min(max(0, int(case_c / width_c)), points - 2)
            part = case_c / width_c - left
            line = ahead[each, stage]
            here = reward[second][each][heat.stage]
            worth = here * (1.0 - stalls[rank][each]) - price * energy[second][each][heat.stage]
            worth += (1.0 - part) * float(line[left]) + part * float(line[left + 1])
            if now_c >= board.critical_c:
                worth -= board.off_s
            if worth > best:
                best, chosen = worth, each
        used_wh += energy[second][chosen][heat.stage]
        warming.step(heat, power[second][chosen][heat.stage], ambient[second], cooling[second])
        rank = chosen
        ranks.append(rank)
    return np.array(ranks, np.int64), used_wh


def _stalls(board: Board) -> NDArray[np.float64]:
    """Return the seconds that each change of tier takes: [before, after]."""
    return np.array([[board.stall_s(before, after) for after in TIERS] for before in TIERS])
