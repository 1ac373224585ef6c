"""The closed loop: the tier that a policy chose loads the board that it reads next."""

from collections.abc import Callable

import numpy as np

from edge_daemon.tier import TIERS
from tools.simulation.board import Board
from tools.simulation.effects import Effects
from tools.simulation.heat import Heat, Warming
from tools.simulation.policies.policy import Policy
from tools.simulation.run import Run
from tools.simulation.sensors import Sensors, Span
from tools.simulation.trace import Trace

FIRST_POLL_S = 1.0
_SHORT_MIB = 16.0  # with less memory left than this, everything begins to wait for it


def simulate(trace: Trace, effects: Effects, board: Board, policy: Callable[[], Policy]) -> Run:
    """Run a policy on a trace.

    A board begins in `critical` at the idle temperature plus half of what its load makes of it.
    Each step goes by what runs, then the policy may be asked at its end. A swap stalls what
    follows. Above the critical temperature the board is off for a while, and its policy begins
    anew; without charge it is off until the mains are back.

    Args:
        trace: what the board is exposed to.
        effects: of that trace on that board.
        board: its constants.
        policy: makes a policy, at the start and after each time without power.
    """
    steps, step_s = trace.steps, trace.step_s
    rows, free_mib = effects.rows, effects.free_mib.tolist()
    ambient_c, cooling = trace.ambient_c.tolist(), trace.cooling.tolist()
    on_mains = trace.on_mains.tolist()
    warming, heat = Warming(board, step_s), Heat()
    heat.case_c = 0.5 * board.gains_c[1] * cooling[0] * float(effects.power_ghz[0, 0, 0])
    sensors = Sensors(board, trace)
    full_wh = trace.battery_wh
    energy_wh = full_wh or 0.0
    hour_share = step_s / 3600.0

    out_tier, out_stage = np.full(steps, -1, np.int8), np.zeros(steps, np.int8)
    out = np.zeros((steps, 6))
    polled: list[int] = []
    switched: list[int] = []
    ranks: list[tuple[int, int]] = []

    rank = 0
    chooser: Policy | None = None
    stall_s = 0.0
    off_until = -1
    poll_at = 0.0
    span = Span()
    for step in range(steps):
        if full_wh is not None:
            if energy_wh <= 0.0 and not on_mains[step]:
                off_until = max(off_until, step + 1)
            elif on_mains[step]:
                energy_wh = min(full_wh, energy_wh + board.charge_w * hour_share)
        if step < off_until:
            now_c = warming.step(heat, 0.0, ambient_c[step], cooling[step])
            sensors.feel(now_c)
            out[step] = 0.0, 0.0, now_c, energy_wh, free_mib[step][0], 0.0
            out_stage[step] = heat.stage
            chooser, rank, stall_s = None, 0, 0.0
            continue
        stage = heat.stage
        lost = min(stall_s, step_s) / step_s
        stall_s = max(0.0, stall_s - step_s)
        kept = 1.0 - lost
        worth, on_time, cycle_ms, used, others, power_ghz, power_w, waiting = rows[step][rank][
            stage
        ]
        free = free_mib[step][rank]
        if full_wh is not None and not on_mains[step]:
            energy_wh = max(0.0, energy_wh - power_w * hour_share)
        now_c = warming.step(heat, power_ghz, ambient_c[step], cooling[step])
        sensors.feel(now_c)
        out_tier[step], out_stage[step] = rank, stage
        out[step] = (
            worth * kept,
            lost + kept * (1.0 - on_time),
            now_c,
            energy_wh,
            free,
            used + others,
        )
        windows = kept * step_s * 1000.0 / max(board.period_ms, cycle_ms)
        span.seconds += step_s
        span.own_s += used * step_s
        span.foreign_s += others * step_s
        span.waiting_s += waiting * step_s
        span.stalled_s += min(1.0, max(0.0, (_SHORT_MIB - free) / (2.0 * _SHORT_MIB))) * step_s
        span.window_ms += windows * cycle_ms
        span.windows += windows
        span.late += windows * (1.0 - on_time)
        span.swapped = span.swapped or lost > 0.0
        if now_c >= board.critical_c:
            off_until = step + 1 + round(board.off_s / step_s)
            continue
        end_s = (step + 1) * step_s
        if chooser is not None and end_s < poll_at - 1e-9:
            continue
        reading = sensors.read(step, span, TIERS[rank], free, heat.stage, energy_wh)
        span = Span()
        if chooser is None:
            chooser = policy()
            tier, poll_s = chooser.first(reading), FIRST_POLL_S
        else:
            tier, poll_s = chooser.next(reading)
        poll_at = end_s + poll_s
        polled.append(step)
        if tier.rank != rank:
            switched.append(step)
            ranks.append((rank, tier.rank))
            stall_s += board.stall_s(TIERS[rank], tier)
            span.swapped = True
            rank = tier.rank
    on = out_tier >= 0
    return Run(
        step_s=step_s,
        tier=out_tier,
        utility=out[:, 0],
        missed=out[:, 1],
        violated=on & (out[:, 4] < 0.0),
        temperature_c=out[:, 2],
        stage=out_stage,
        energy_wh=out[:, 3],
        free_mib=out[:, 4],
        load=out[:, 5],
        polled=np.array(polled, np.int64),
        switched=np.array(switched, np.int64),
        ranks=np.array(ranks, np.int64).reshape(-1, 2),
    )
