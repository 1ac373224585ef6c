"""What feeds the board: mains, a battery, and nothing for a while after it got too hot."""

from tools.simulation.board import Board
from tools.simulation.trace import Trace


class Supply:
    """Says in which steps there is power.

    Args:
        trace: when the mains are there, and the battery.
        board: how fast the battery charges, and how long the board stays off.

    Attributes:
        energy_wh: left in the battery; 0 without one.
    """

    def __init__(self, trace: Trace, board: Board) -> None:
        self._board = board
        self._step_s = trace.step_s
        self._on_mains: list[bool] = trace.on_mains.tolist()
        self._full_wh = trace.battery_wh
        self._off_until = 0
        self.energy_wh = trace.battery_wh or 0.0

    def begin(self, step: int) -> bool:
        """Charge the battery where the mains are there; return whether the step has power."""
        if self._full_wh is not None:
            if self._on_mains[step]:
                charged_wh = self.energy_wh + self._board.charge_w * self._step_s / 3600.0
                self.energy_wh = min(self._full_wh, charged_wh)
            elif self.energy_wh <= 0.0:
                return False
        return step >= self._off_until

    def draw(self, step: int, power_w: float) -> None:
        """Take a step's energy from the battery, unless the mains give it."""
        if self._full_wh is not None and not self._on_mains[step]:
            self.energy_wh = max(0.0, self.energy_wh - power_w * self._step_s / 3600.0)

    def trip(self, step: int) -> None:
        """Power off after a step that ended too hot."""
        self._off_until = step + 1 + round(self._board.off_s / self._step_s)
