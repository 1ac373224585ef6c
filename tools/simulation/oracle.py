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
from tools.simulation.effects import ROW, Effects
from tools.simulation.heat import Heat, Warming
from tools.simulation.trace import Trace

DECIDE_S = 1.0
"""Time from one of its decisions to the next."""

_STAGES = 3
_GRID = 512
_BISECTIONS = 14
_DEAREST = 1e7
_SAFE_C = 0.5
"""How far below the power-off it stays: heat within a second may rise above that second's mean."""


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
class Seconds:
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


@dataclass(frozen=True)
class _Problem:
    """A trace on a board, in seconds for the recursion and in steps for the walk."""

    trace: Trace
    effects: Effects
    board: Board
    seconds: Seconds


@dataclass(frozen=True)
class _Solution:
    """The plan of one price, the value of the priced problem, and the energy after each second."""

    ranks: list[int]
    value: float
    spent_wh: list[float]

    @property
    def used_wh(self) -> float:
        return self.spent_wh[-1]


def plan(trace: Trace, effects: Effects, board: Board) -> Plan:
    """Return the best plan for a trace.

    Args:
        trace: the whole future.
        effects: of that trace on that board.
        board: its constants.
    """
    problem = _Problem(trace, effects, board, in_seconds(trace, effects))
    best = _solve(problem, 0.0)
    budget_wh = trace.battery_wh
    if budget_wh is None or best.used_wh <= budget_wh:
        return _plan(best, best.value, 0.0)
    over, bound = best, best.value
    cheap, dear = 0.0, 1.0
    best = _solve(problem, dear)
    while best.used_wh > budget_wh and dear < _DEAREST:
        over, cheap, dear = best, dear, dear * 8.0
        best = _solve(problem, dear)
    bound = min(bound, best.value + dear * budget_wh)
    for _ in range(_BISECTIONS):
        price = 0.5 * (cheap + dear)
        tried = _solve(problem, price)
        bound = min(bound, tried.value + price * budget_wh)
        if tried.used_wh > budget_wh:
            over, cheap = tried, price
        else:
            dear, best = price, tried
    return _plan(_spliced(over, best, budget_wh), bound, dear)


def _spliced(over: _Solution, under: _Solution, budget_wh: float) -> _Solution:
    """Return the dearer plan for as long as the charge lasts for the cheaper one after it.

    At the price between them both are best; what lies between their needs is made by going from
    one to the other in time.
    """
    later = [under.used_wh - spent for spent in under.spent_wh]
    fits = [spent + left <= budget_wh for spent, left in zip(over.spent_wh, later, strict=True)]
    turn = max((second for second, fit in enumerate(fits, start=1) if fit), default=0)
    ranks = over.ranks[:turn] + under.ranks[turn:]
    return _Solution(ranks, under.value, under.spent_wh)


def _plan(solution: _Solution, value: float, price: float) -> Plan:
    count = len(solution.ranks)
    return Plan(np.array(solution.ranks, np.int64), value / (count * DECIDE_S), price)


def in_seconds(trace: Trace, effects: Effects) -> Seconds:
    """Return what the steps of each second amount to; a last part of a second is left out."""
    width = max(1, round(DECIDE_S / trace.step_s))
    count = trace.steps // width

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = values[: count * width]
        return np.asarray(kept.reshape(count, width, *values.shape[1:]).mean(axis=1))

    off_mains = (~trace.on_mains).astype(np.float64)[:, None, None]
    return Seconds(
        reward=mean(effects.utility) * DECIDE_S,
        power_ghz=mean(effects.power_ghz),
        energy_wh=mean(effects.power_w * off_mains) * DECIDE_S / 3600.0,
        ambient_c=mean(trace.ambient_c),
        cooling=mean(trace.cooling),
    )


def _solve(problem: _Problem, price: float) -> _Solution:
    """Return the best plan where a Wh costs `price` seconds of utility."""
    seconds, board = problem.seconds, problem.board
    values, grid = _backward(seconds, board, price)
    ranks, spent_wh = _forward(problem, price, values, grid)
    value = np.interp(_first_case_c(seconds, board), grid, values[0, 0, 0])
    return _Solution(ranks, float(value), spent_wh)


def _first_case_c(seconds: Seconds, board: Board) -> float:
    return float(0.5 * board.gains_c[1] * seconds.cooling[0] * seconds.power_ghz[0, 0, 0])


def _grid(seconds: Seconds, board: Board) -> NDArray[np.float64]:
    """Return the heats of the case that can come up; two where the board cannot get too hot."""
    rise = (seconds.power_ghz.max(axis=(1, 2)) * seconds.cooling).max()
    hottest_c = board.idle_rise_c + sum(board.gains_c) * rise + seconds.ambient_c.max()
    cold = hottest_c < board.throttle_c[0] - board.throttle_gap_c
    return np.linspace(0.0, board.gains_c[1] * rise * 1.001, 2 if cold else _GRID)


def _backward(
    seconds: Seconds, board: Board, price: float
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
    gap_c, critical_c = board.throttle_gap_c, board.critical_c - _SAFE_C
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
        if now_c.max() >= critical_c:
            best = best - board.off_s * (now_c >= critical_c)
        reward = seconds.reward[second][None, :, :, None]
        values[second] = (best[None] - lost * reward).max(axis=1)
    return values, grid


def _forward(
    problem: _Problem, price: float, values: NDArray[np.float32], grid: NDArray[np.float64]
) -> tuple[list[int], list[float]]:
    """Walk through the trace as the loop does, each second to the best of what follows."""
    board, seconds, trace = problem.board, problem.seconds, problem.trace
    width = max(1, round(DECIDE_S / trace.step_s))
    ahead, exact = Warming(board, DECIDE_S), Warming(board, trace.step_s)
    stalls = _stalls(board).tolist()
    reward, power = seconds.reward.tolist(), seconds.power_ghz.tolist()
    energy = seconds.energy_wh.tolist()
    rows, ghz, watts = problem.effects.rows, ROW.index("power_ghz"), ROW.index("power_w")
    ambient_c, cooling = trace.ambient_c.tolist(), trace.cooling.tolist()
    on_mains = trace.on_mains.tolist()
    points, width_c = len(grid), float(grid[1] - grid[0])
    heat = Heat(case_c=_first_case_c(seconds, board))
    ranks: list[int] = []
    spent_wh: list[float] = []
    used_wh, rank = 0.0, 0
    for second in range(len(reward)):
        best, chosen = float("-inf"), rank
        first = second * width
        for each in range(len(TIERS)):
            after = Heat(heat.chip_c, heat.case_c, heat.stage)
            driven = power[second][each][heat.stage]
            now_c = ahead.step(after, driven, ambient_c[first], cooling[first])
            place = after.case_c / width_c
            left = min(max(0, int(place)), points - 2)
            line = values[second + 1, each, after.stage]
            worth = reward[second][each][heat.stage] * (1.0 - stalls[rank][each])
            worth -= price * energy[second][each][heat.stage]
            worth += float(line[left]) + (place - left) * float(line[left + 1] - line[left])
            if now_c >= board.critical_c - _SAFE_C:
                worth -= board.off_s
            if worth > best:
                best, chosen = worth, each
        for step in range(first, first + width):
            runs = rank if step == 0 else chosen  # the first reading comes after the first step
            row = rows[step][runs][heat.stage]
            used_wh += 0.0 if on_mains[step] else row[watts] * trace.step_s / 3600.0
            exact.step(heat, row[ghz], ambient_c[step], cooling[step])
        rank = chosen
        ranks.append(rank)
        spent_wh.append(used_wh)
    return ranks, spent_wh


def _stalls(board: Board) -> NDArray[np.float64]:
    """Return the seconds that each change of tier takes: [before, after]."""
    return np.array([[board.stall_s(before, after) for after in TIERS] for before in TIERS])
