"""Swaps while windows go on: how long the loop stands still, and whether it misses a window."""

import threading
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from edge_daemon.bench.rig import rig
from edge_daemon.inference.bundle import Bundle
from edge_daemon.tier import Tier
from edge_daemon.worker import Worker

SWAPS = 90
PERIOD_S = 0.02
ORDER = (Tier.HIGH, Tier.MEDIUM, Tier.LOW, Tier.CRITICAL, Tier.MEDIUM, Tier.HIGH, Tier.CRITICAL)
_PATIENCE_WINDOWS = 200


@dataclass(frozen=True, slots=True)
class SwapCost:
    """What swaps cost the loop.

    Attributes:
        swaps: how many.
        windows: windows that fell due meanwhile.
        lost: those of them that gave no answer.
        swap_p99_ms: 99th percentile of the time of a window that began with an adoption.
        plain_p99_ms: the same of windows without one.
        period_ms: the window period.
    """

    swaps: int
    windows: int
    lost: int
    swap_p99_ms: float
    plain_p99_ms: float
    period_ms: float


def measure_swaps(bundle: Bundle, directory: Path) -> SwapCost:
    """Swap through all tiers while windows fall due five times as often as usual."""
    stop = threading.Event()
    swapped_ms: list[float] = []
    plain_ms: list[float] = []
    lost = 0
    with rig(bundle, directory, width_px=640, height_px=480) as bench:
        worker = Worker("swap", bench.swapper.run)
        worker.start()
        for number in range(SWAPS):
            before, target = bench.loop.tier, ORDER[number % len(ORDER)]
            bench.ask(target)
            for _ in range(_PATIENCE_WINDOWS):
                bench.feed()
                started_ns = perf_counter_ns()
                answered = bench.loop.step()
                spent_ms = (perf_counter_ns() - started_ns) / 1e6
                lost += not answered
                (swapped_ms if bench.loop.tier is not before else plain_ms).append(spent_ms)
                stop.wait(max(0.0, PERIOD_S - spent_ms / 1e3))
                if bench.loop.tier is target:
                    break
            else:
                raise RuntimeError(f"{target} was not adopted in {_PATIENCE_WINDOWS} windows")
        worker.stop()
    return SwapCost(
        swaps=len(swapped_ms),
        windows=len(swapped_ms) + len(plain_ms),
        lost=lost,
        swap_p99_ms=float(np.percentile(swapped_ms, 99)),
        plain_p99_ms=float(np.percentile(plain_ms, 99)),
        period_ms=PERIOD_S * 1e3,
    )
