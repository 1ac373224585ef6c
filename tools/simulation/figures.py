"""What a run amounts to: one figure for each thing that a governor is judged by."""

from dataclasses import asdict, dataclass

import numpy as np

from edge_daemon.tier import TIERS
from tools.simulation.board import Board
from tools.simulation.run import Run
from tools.simulation.trace import Trace

REVERSED_S = 30.0
"""A switch back within this long after the last one is a reversal."""

SETTLED_S = 60.0
"""A constant load should be settled after this long."""

HARD_MIB = 12.0
"""Less free memory than this is a hard event: 4 MiB under the reserve, so that noise is none."""

ANSWER_S = 3.0
"""While the last answer in time is no older than this, pictures count as answered. It is the age
at which the daemon takes an input for gone (`capture.stall_s`)."""

HARD_C = 4.0
"""Nearer to the critical temperature than this is one: 1 °C within the margin."""


@dataclass(frozen=True)
class Figures:
    """Of one run.

    Attributes:
        utility: mean accuracy times the share of windows on time.
        switches: changes of tier an hour.
        reversals: changes an hour that take back the one before within 30 s.
        violation: share of the time in which memory was short.
        missed: share of the windows that came too late or fell into a stall.
        off: share of the time without power.
        unanswered: share of the time in which the mains or a charge could feed the board, and no
            tier answered a picture in time for `ANSWER_S`. All tiers see; a board that powered
            itself off for heat does not.
        hot: share of the time above the first of the firmware's temperatures.
        hottest_c: highest temperature.
        delay_polls: most polls that a hard event lasted without a move down.
        late_switches: changes after the first minute; what a constant load must not cause.
        polls_hz: polls a second.
        tiers: share of the powered time in each tier, cheapest first.
    """

    utility: float
    switches: float
    reversals: float
    violation: float
    missed: float
    off: float
    unanswered: float
    hot: float
    hottest_c: float
    delay_polls: int
    late_switches: int
    polls_hz: float
    tiers: tuple[float, ...]

    def document(self) -> dict[str, object]:
        """Return the figures as JSON has them."""
        return asdict(self)


def figures(run: Run, trace: Trace, board: Board) -> Figures:
    """Return the figures of a run."""
    hours = len(run.tier) * run.step_s / 3600.0
    on = run.tier >= 0
    powered = max(1, int(on.sum()))
    return Figures(
        utility=float(run.utility.mean()),
        switches=len(run.switched) / hours,
        reversals=_reversals(run) / hours,
        violation=float(run.violated.mean()),
        missed=float(run.missed[on].mean()) if on.any() else 0.0,
        off=float(1.0 - on.mean()),
        unanswered=_unanswered(run, trace, board),
        hot=float((run.temperature_c >= board.throttle_c[0]).mean()),
        hottest_c=float(run.temperature_c.max()),
        delay_polls=_delay_polls(run, trace, board),
        late_switches=int((run.switched * run.step_s >= SETTLED_S).sum()),
        polls_hz=len(run.polled) / hours / 3600.0,
        tiers=tuple(float((run.tier == tier.rank).sum() / powered) for tier in TIERS),
    )


def _unanswered(run: Run, trace: Trace, board: Board) -> float:
    """Return the share of the fed time in which no window of the last `ANSWER_S` was in time."""
    fed = trace.on_mains | (run.energy_wh > 0.0) | (run.tier >= 0) | (trace.battery_wh is None)
    answers = (run.tier >= 0) & ~run.violated
    windows = np.where(answers, 1.0 - run.missed, 0.0) * run.step_s * 1000.0 / board.period_ms
    width = max(1, round(ANSWER_S / run.step_s))
    lately = np.convolve(windows, np.ones(width))[: len(windows)]
    # The board begins with its models loaded: before it has run for as long, the part counts.
    return float((lately[fed] < 1.0).mean()) if fed.any() else 0.0


def _reversals(run: Run) -> int:
    count = 0
    for number in range(1, len(run.switched)):
        (before, after), (earlier, later) = run.ranks[number], run.ranks[number - 1]
        near = (run.switched[number] - run.switched[number - 1]) * run.step_s <= REVERSED_S
        count += int(near and (after - before) * (later - earlier) < 0)
    return count


def _delay_polls(run: Run, trace: Trace, board: Board) -> int:
    """Return the most polls that a hard event lasted above `critical` without a move down.

    An event begins where memory or heat cross their hard limit while a higher tier runs, and ends
    with the first move down, with the cause, or with a sensor that cannot be read.
    """
    hard = (run.free_mib < HARD_MIB) & ~trace.lost.get("memory", np.zeros_like(run.violated))
    hard |= (run.temperature_c > board.critical_c - HARD_C) & ~trace.lost.get(
        "temperature", np.zeros_like(run.violated)
    )
    hard &= run.tier > 0
    lower = np.zeros(len(hard), dtype=np.bool_)
    down = run.ranks[:, 1] < run.ranks[:, 0] if len(run.ranks) else np.zeros(0, np.bool_)
    lower[run.switched[down]] = True
    asked = np.zeros(len(hard), dtype=np.bool_)
    asked[run.polled] = True
    worst = polls = 0
    acted = False
    for step in np.flatnonzero(hard):
        if step == 0 or not hard[step - 1]:
            polls, acted = 0, False
        if acted:
            continue
        polls += int(asked[step])
        acted = bool(lower[step])
        worst = max(worst, polls)
    return worst
