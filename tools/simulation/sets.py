"""Three disjoint sets of traces: to choose parameters on, to score with, and to look at once."""

from collections.abc import Callable

from tools.simulation import kinds
from tools.simulation.board import Board
from tools.simulation.kinds import Maker
from tools.simulation.trace import Trace

LOADS = (0.35, 0.55, 0.8)
"""Scales of the foreign load."""

TUNING, SCORING, FRESH = "tuning", "scoring", "fresh"
"""The scoring set has been looked at while settings and rules were chosen. The fresh one is for
the last word on a finished policy: nothing may be chosen by it."""

_SHARED: tuple[Callable[[Maker], Trace], ...] = (
    kinds.constant,
    kinds.whole_day,
    kinds.morning,
    kinds.bursty,
    kinds.ramp,
    kinds.noisy,
    kinds.lost,
    kinds.fan,
    kinds.hot,
    kinds.sealed,
    kinds.battery,
    kinds.leak,
    kinds.spikes,
    kinds.ordinary,
)
_PERIODS_S = {
    TUNING: (8.0, 45.0, 400.0),
    SCORING: (5.0, 30.0, 180.0, 1200.0),
    FRESH: (6.0, 25.0, 150.0, 900.0),
}
_MEMORY_PERIODS_S = {TUNING: (90.0,), SCORING: (20.0, 240.0), FRESH: (35.0, 300.0)}
_AGAIN = {
    TUNING: (kinds.ordinary,),
    SCORING: (kinds.ordinary, kinds.bursty),
    FRESH: (kinds.ordinary, kinds.bursty),
}
_SEEDS = {TUNING: 1_000, SCORING: 2_000, FRESH: 70_000}
_DURATIONS_S = {TUNING: 2_700.0, SCORING: 3_600.0, FRESH: 3_300.0}
AMBIENT_C = {TUNING: 24.0, SCORING: 27.0, FRESH: 28.0}
"""Temperature of the surroundings, where a trace does not try it."""


def traces(
    which: str,
    board: Board,
    loads: tuple[float, ...] = LOADS,
    warmer_c: float = 0.0,
) -> list[Trace]:
    """Return a set.

    They share no seed, no period, no length and no room temperature.

    Args:
        which: `TUNING`, `SCORING` or `FRESH`.
        board: whose memory is shared.
        loads: scales of the foreign load.
        warmer_c: added to the temperature of the surroundings of all traces.
    """
    makers = [
        *_SHARED,
        *map(kinds.waves, _PERIODS_S[which]),
        *map(kinds.memory_waves, _MEMORY_PERIODS_S[which]),
        *_AGAIN[which],
    ]
    found = []
    for row, load in enumerate(loads):
        for number, kind in enumerate(makers):
            seed = _SEEDS[which] + 100 * row + number
            ambient_c = AMBIENT_C[which] + warmer_c
            found.append(kind(Maker(board, load, seed, _DURATIONS_S[which], ambient_c)))
    return found
