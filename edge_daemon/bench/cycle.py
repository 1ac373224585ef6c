"""The whole window cycle against a bare loop that only fills the tensors and runs the model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_daemon.bench.bare import bare_loop
from edge_daemon.bench.rig import rig
from edge_daemon.clock import monotonic_ns
from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.gate import Reuse
from edge_daemon.tier import TIERS, Tier

ANYTHING = Reuse(picture=1.0, sound=1.0, at_most_ns=10**12)
"""Takes every window for the one before it, but where a sound begins or goes."""

ROUNDS = 15
WINDOWS = 40


@dataclass(frozen=True, slots=True)
class CycleCost:
    """One tier's cost; medians over rounds, in microseconds.

    Attributes:
        tier: the tier.
        bare_us: set the tensors, run the model, get the scores: nothing else.
        cycle_us: slot and ring to the journal's buffer, waiting excluded.
        ratio: cycle / bare, median over rounds; each round measures both in turn.
        ratio_worst: the worst round.
        ratio_written: the same with the line brought to the disk in each window.
        reused_us: the cycle of a window like the one before it, whose scores come again.
        camera_us: what the camera's own thread spends on a frame, besides: grey and halving.
    """

    tier: Tier
    bare_us: float
    cycle_us: float
    ratio: float
    ratio_worst: float
    ratio_written: float
    reused_us: float
    camera_us: float

    @property
    def added_us(self) -> float:
        """What the daemon adds to a window."""
        return self.cycle_us - self.bare_us


def measure_cycles(
    bundle: Bundle, directory: Path, *, width_px: int = 640, height_px: int = 480
) -> list[CycleCost]:
    """Measure each tier, dearest first, on pictures of a camera's usual size."""
    costs = []
    with rig(bundle, directory, width_px=width_px, height_px=height_px) as bench:

        def windows(*, flush: bool) -> float:
            spent_ns = 0
            for _ in range(WINDOWS):
                bench.feed()
                started_ns = monotonic_ns()
                bench.loop.step()
                if flush:
                    bench.journal.flush()
                spent_ns += monotonic_ns() - started_ns
            return spent_ns / WINDOWS / 1e3

        camera_us = bench.camera_us()
        for tier in reversed(TIERS):
            bench.move_to(tier)
            bare = bare_loop(bundle.read_model(tier))
            rounds = []
            for _ in range(ROUNDS):
                started_ns = monotonic_ns()
                for _ in range(WINDOWS):
                    bare()
                bare_us = (monotonic_ns() - started_ns) / WINDOWS / 1e3
                cycle_us, written_us = windows(flush=False), windows(flush=True)
                bench.loop.reuse = ANYTHING
                rounds.append((bare_us, cycle_us, written_us, windows(flush=False)))
                bench.loop.reuse = None
            bare_us, cycle_us, written_us, reused_us = np.array(rounds[1:]).T
            costs.append(
                CycleCost(
                    tier,
                    bare_us=float(np.median(bare_us)),
                    cycle_us=float(np.median(cycle_us)),
                    ratio=float(np.median(cycle_us / bare_us)),
                    ratio_worst=float((cycle_us / bare_us).max()),
                    ratio_written=float(np.median(written_us / bare_us)),
                    reused_us=float(np.median(reused_us)),
                    camera_us=camera_us,
                )
            )
    return costs
