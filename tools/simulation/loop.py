"""The closed loop: the tier that a policy chose loads the board that it reads next."""

from collections.abc import Callable

from edge_daemon.tier import TIERS
from tools.simulation.board import Board
from tools.simulation.effects import Effects
from tools.simulation.heat import Heat, Warming
from tools.simulation.policies.policy import Policy
from tools.simulation.run import Log, Run
from tools.simulation.sensors import Sensors, Span
from tools.simulation.supply import Supply
from tools.simulation.trace import Trace

FIRST_POLL_S = 1.0
_SHORT_MIB = 16.0  # with less memory left than this, everything begins to wait for it


def simulate(trace: Trace, effects: Effects, board: Board, policy: Callable[[], Policy]) -> Run:
    """Run a policy on a trace.

    A board begins in `critical`, its case half as warm as its load will make it. Each step goes by
    what runs, and at its end the policy may be asked. A swap stalls what follows. Above the
    critical temperature the board is off for a while, and without charge until the mains are back;
    its policy then begins anew.

    Args:
        trace: what the board is exposed to.
        effects: of that trace on that board.
        board: its constants.
        policy: makes a policy, at the start and after each time without power.
    """
    loop = _Loop(trace, effects, board, policy)
    for step in range(trace.steps):
        if loop.supply.begin(step):
            loop.work(step)
        else:
            loop.rest(step)
    return loop.log.run()


class _Loop:
    """Everything that changes from step to step."""

    def __init__(
        self, trace: Trace, effects: Effects, board: Board, policy: Callable[[], Policy]
    ) -> None:
        self.supply = Supply(trace, board)
        self.log = Log(trace.step_s)
        self._board = board
        self._step_s = trace.step_s
        self._policy = policy
        self._rows = effects.rows
        self._free_mib: list[list[float]] = effects.free_mib.tolist()
        self._ambient_c: list[float] = trace.ambient_c.tolist()
        self._cooling: list[float] = trace.cooling.tolist()
        self._warming = Warming(board, trace.step_s)
        self._sensors = Sensors(board, trace)
        settled_c = board.gains_c[1] * self._cooling[0] * float(effects.power_ghz[0, 0, 0])
        self._heat = Heat(case_c=0.5 * settled_c)
        self._rank = 0
        self._stall_s = 0.0
        self._span = Span()
        self._chooser: Policy | None = None
        self._poll_at_s = 0.0

    def rest(self, step: int) -> None:
        """Spend a step without power."""
        now_c = self._warm(step, 0.0)
        self._rank, self._stall_s, self._span, self._chooser = 0, 0.0, Span(), None
        energy_wh, free_mib = self.supply.energy_wh, self._free_mib[step][0]
        self.log.note(-1, 0.0, 0.0, now_c, self._heat.stage, energy_wh, free_mib, 0.0)

    def work(self, step: int) -> None:
        """Spend a step with what runs, and ask the policy at its end where that is due."""
        rank, stage, step_s, span = self._rank, self._heat.stage, self._step_s, self._span
        utility, on_time, cycle_ms, own, foreign, power_ghz, power_w, waiting = self._rows[step][
            rank
        ][stage]
        free_mib = self._free_mib[step][rank]
        lost = min(1.0, self._stall_s / step_s)
        self._stall_s = max(0.0, self._stall_s - step_s)
        kept = 1.0 - lost
        self.supply.draw(step, power_w)
        now_c = self._warm(step, power_ghz)
        span.seconds += step_s
        span.own_s += own * step_s
        span.foreign_s += foreign * step_s
        span.waiting_s += waiting * step_s
        span.stalled_s += min(1.0, max(0.0, 0.5 * (1.0 - free_mib / _SHORT_MIB))) * step_s
        span.swapped = span.swapped or lost > 0.0
        windows = kept * step_s * 1000.0 / max(self._board.period_ms, cycle_ms)
        span.add_windows(windows, cycle_ms, on_time)
        missed = lost + kept * (1.0 - on_time)
        energy_wh, load = self.supply.energy_wh, own + foreign
        self.log.note(rank, utility * kept, missed, now_c, stage, energy_wh, free_mib, load)
        if now_c >= self._board.critical_c:
            self.supply.trip(step)
        elif self._chooser is None or (step + 1) * step_s >= self._poll_at_s - 1e-9:
            self._ask(step, free_mib)

    def _warm(self, step: int, power_ghz: float) -> float:
        now_c = self._warming.step(
            self._heat, power_ghz, self._ambient_c[step], self._cooling[step]
        )
        self._sensors.feel(now_c)
        return now_c

    def _ask(self, step: int, free_mib: float) -> None:
        rank = self._rank
        reading = self._sensors.read(
            step, self._span, TIERS[rank], free_mib, self._heat.stage, self.supply.energy_wh
        )
        self._span = Span()
        self.log.poll(step)
        if self._chooser is None:
            self._chooser = self._policy()
            tier, poll_s = self._chooser.first(reading), FIRST_POLL_S
        else:
            tier, poll_s = self._chooser.next(reading)
        self._poll_at_s = (step + 1) * self._step_s + poll_s
        if tier.rank != rank:
            self.log.switch(step, rank, tier.rank)
            self._stall_s += self._board.stall_s(TIERS[rank], tier)
            self._span.swapped = True
            self._rank = tier.rank
