"""What every tier would do in every step of a trace, at every clock: the physics, once for all.

The loop, the sensors and the oracle all look up these tables, so that they cannot disagree.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge_daemon.tier import TIERS
from tools.simulation.board import Board
from tools.simulation.trace import Trace

ROW = (
    "utility",
    "on_time",
    "latency_ms",
    "own",
    "foreign",
    "power_ghz",
    "power_w",
    "waiting",
)
"""What `Effects.rows` has of each step, tier and stage."""

_ERF = np.vectorize(math.erf, otypes=[np.float64])


@dataclass(frozen=True)
class Effects:
    """float64 [steps, tiers, stages of throttling], and what does not depend on all of them.

    Attributes:
        latency_ms: median time of a window.
        on_time: share of the windows that meet the deadline.
        own: share of all cores that the daemon keeps busy.
        foreign: share of all cores that others keep busy.
        power_ghz: busy share times clock: what heats.
        power_w: what the board draws.
        waiting: share of the time in which something that could run waits for a core.
        free_mib: memory that is left, below 0 where there is too little: [steps, tiers].
        utility: accuracy times the share of windows on time; 0 without enough memory.
    """

    latency_ms: NDArray[np.float64]
    on_time: NDArray[np.float64]
    own: NDArray[np.float64]
    foreign: NDArray[np.float64]
    power_ghz: NDArray[np.float64]
    power_w: NDArray[np.float64]
    waiting: NDArray[np.float64]
    free_mib: NDArray[np.float64]
    utility: NDArray[np.float64]

    @cached_property
    def rows(self) -> list[list[list[list[float]]]]:
        """The same for the loop: by step, tier and stage, in the order of `ROW`."""
        every = np.stack([getattr(self, name) for name in ROW], axis=-1)
        rows: list[list[list[list[float]]]] = every.tolist()
        return rows


def effects(trace: Trace, board: Board) -> Effects:
    """Return what every tier would do.

    A window takes its idle time, longer by what others take of caches and memory (at most
    `contention`), by the clock, and, where all together ask for more than the cores give, by as
    much more as they ask. Its time is lognormal around that. A daemon whose windows take longer
    than their period makes fewer of them. The time in which something waits is Erlang's formula
    for as many servers as cores (1917): arrivals are assumed to be independent.
    """
    shape = (trace.steps, len(TIERS), len(board.clocks))
    asked = trace.foreign[:, None, None]
    own = np.array([board.own_load(tier) for tier in TIERS])[None, :, None]
    clock = np.array(board.clocks)[None, None, :]
    idle_ms = np.array([board.tiers[tier].cycle_ms for tier in TIERS])[None, :, None]
    beside = np.minimum(1.0, asked * board.cores / max(1, board.cores - 1))
    wanted = (asked + own) / clock
    latency_ms = idle_ms * (1.0 + board.contention * beside) / clock * np.maximum(1.0, wanted)
    latency_ms = np.broadcast_to(latency_ms * trace.slowdown[:, None, None], shape)
    on_time = _phi(np.log(board.deadline_ms / latency_ms) / board.jitter)
    rate = np.minimum(1.0, board.period_ms / latency_ms)
    used = np.minimum(1.0, own * rate / clock)
    others = np.minimum(asked / clock, 1.0 - used)
    busy = used + others
    power_ghz = busy * clock * board.clock_ghz
    free_mib = (
        board.ram_mib
        - trace.neighbours_mib[:, None]
        - np.array([board.tiers[tier].memory_mib for tier in TIERS])[None, :]
    )
    accuracy = np.array([board.tiers[tier].accuracy for tier in TIERS])[None, :, None]
    return Effects(
        latency_ms=latency_ms,
        on_time=on_time,
        own=used,
        foreign=others,
        power_ghz=power_ghz,
        power_w=board.idle_w + board.busy_w * power_ghz / board.clock_ghz,
        waiting=erlang_c(np.broadcast_to(wanted, shape) * board.cores, board.cores),
        free_mib=free_mib,
        utility=accuracy * on_time * (free_mib >= 0.0)[:, :, None],
    )


def erlang_c(offered: NDArray[np.float64], servers: int) -> NDArray[np.float64]:
    """Return the probability that an arrival has to wait (Erlang 1917); 1 where all are full.

    Args:
        offered: load in servers, of any shape.
        servers: how many there are.
    """
    safe = np.minimum(offered, servers * (1.0 - 1e-9))
    term = np.ones_like(safe)
    total = np.ones_like(safe)
    for number in range(1, servers):
        term = term * safe / number
        total = total + term
    last = term * safe / servers * servers / (servers - safe)
    return np.where(offered >= servers, 1.0, last / (total + last))


def _phi(value: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(value, -8.0, 8.0) / math.sqrt(2.0)
    return np.asarray(0.5 * (1.0 + _ERF(clipped)), dtype=np.float64)
