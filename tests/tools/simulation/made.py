"""Traces and policies that tests make by hand."""

from collections.abc import Sequence

import numpy as np

from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier
from tools.simulation.board import Board
from tools.simulation.effects import effects
from tools.simulation.loop import simulate
from tools.simulation.run import Run
from tools.simulation.trace import Floats, Trace

BOARD = Board()


def flat(duration_s: float = 60.0, foreign: float | Floats = 0.2, **others: object) -> Trace:
    """Return a trace in which nothing changes, but for what is given beside."""
    steps = round(duration_s / 0.25)
    fields: dict[str, object] = {
        "step_s": 0.25,
        "foreign": np.broadcast_to(np.asarray(foreign, np.float64), steps),
        "neighbours_mib": np.full(steps, 700.0),
        "ambient_c": np.full(steps, 25.0),
        "cooling": np.ones(steps),
        "slowdown": np.ones(steps),
        "on_mains": np.ones(steps, dtype=np.bool_),
    }
    fields.update(others)
    return Trace(kind="flat", variant="", load=1.0, seed=0, **fields)  # type: ignore[arg-type]


class Noting:
    """Plays a list of answers, the last for ever, and keeps what it was shown."""

    def __init__(self, answers: Sequence[Tier], poll_s: float = 1.0) -> None:
        self._answers = list(answers)
        self._poll_s = poll_s
        self.readings: list[Reading] = []
        self.firsts = 0

    def first(self, reading: Reading) -> Tier:
        self.firsts += 1
        return self.next(reading)[0]

    def next(self, reading: Reading) -> tuple[Tier, float]:
        self.readings.append(reading)
        tier = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return tier, self._poll_s


def played(trace: Trace, policy: Noting, board: Board = BOARD) -> Run:
    """Return the run of one policy that lives through reboots."""
    return simulate(trace, effects(trace, board), board, lambda: policy)
