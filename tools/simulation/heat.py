"""Temperature of the board by two time constants, and the firmware that slows it."""

import math
from dataclasses import dataclass

from tools.simulation.board import Board


@dataclass(slots=True)
class Heat:
    """What warms up: the chip within seconds, board and case within minutes.

    Attributes:
        chip_c: rise of the chip above the board.
        case_c: rise of the board above its idle temperature.
        stage: of throttling: 0 is full clock.
    """

    chip_c: float = 0.0
    case_c: float = 0.0
    stage: int = 0

    def temperature_c(self, board: Board, ambient_c: float) -> float:
        """Return what a sensor in the chip would say."""
        return ambient_c + board.idle_rise_c + self.case_c + self.chip_c


class Warming:
    """The exact solution over one step in which load and cooling stay the same.

    Each part follows tau · dT/dt = gain · power − T, so that after a step of length h what it has
    left to go has shrunk by exp(−h / tau).

    Args:
        board: gains, time constants and the firmware's temperatures.
        step_s: length of a step.
    """

    def __init__(self, board: Board, step_s: float) -> None:
        self.board = board
        chip_s, case_s = board.taus_s
        self.chip_share = -math.expm1(-step_s / chip_s)
        self.case_share = -math.expm1(-step_s / case_s)

    def step(self, heat: Heat, power_ghz: float, ambient_c: float, cooling: float) -> float:
        """Warm the board for one step; return its temperature at the end.

        Args:
            heat: changed.
            power_ghz: busy share of the cores times their clock.
            ambient_c: of the surroundings.
            cooling: factor on the gains: 1 as designed, more with a fan that failed.
        """
        chip_gain_c, case_gain_c = self.board.gains_c
        driven = power_ghz * cooling
        heat.chip_c += self.chip_share * (chip_gain_c * driven - heat.chip_c)
        heat.case_c += self.case_share * (case_gain_c * driven - heat.case_c)
        now_c = heat.temperature_c(self.board, ambient_c)
        heat.stage = next_stage(self.board, heat.stage, now_c)
        return now_c


def next_stage(board: Board, stage: int, temperature_c: float) -> int:
    """Return the stage of throttling that follows at a temperature."""
    first_c, second_c = board.throttle_c
    gap_c = board.throttle_gap_c
    if temperature_c >= second_c or (stage == 2 and temperature_c > second_c - gap_c):
        return 2
    if temperature_c >= first_c or (stage >= 1 and temperature_c > first_c - gap_c):
        return 1
    return 0
