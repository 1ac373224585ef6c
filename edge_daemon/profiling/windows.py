"""Time and CPU time of a window in each tier, and what it takes to get there."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from edge_daemon.profiling.plan import Plan
from edge_daemon.profiling.stage import Stage
from edge_daemon.tier import TIERS, Tier

Tell = Callable[[str], None]
"""Takes what is being done now, for whoever waits."""


@dataclass(frozen=True, slots=True)
class WindowCost:
    """One tier.

    Attributes:
        cycle_ms: median time of a window.
        cycle_p95_ms: 95th percentile of the same.
        cpu_ms: CPU time for a window, all threads; median over turns.
        prepare_ms: median time to make the tier ready beside the one below it; 0 for `critical`,
            which always is.
        gap_ms: median time in which the loop took it over.
    """

    cycle_ms: float
    cycle_p95_ms: float
    cpu_ms: float
    prepare_ms: float
    gap_ms: float


@dataclass(slots=True)
class _Notes:
    cycle_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    prepare_ms: list[float] = field(default_factory=list)
    gap_ms: list[float] = field(default_factory=list)


def measure_windows(stage: Stage, plan: Plan, tell: Tell) -> dict[Tier, WindowCost]:
    """Give each tier its turn, again and again, so that what drifts hits all alike.

    The first window after a swap is left out, and so is the first round: both find cold caches.
    """
    notes = {tier: _Notes() for tier in TIERS}
    for number in range(plan.rounds + 1):
        tell(f"windows, round {number} of {plan.rounds}" if number else "warming up")
        for tier, note in notes.items():
            change = stage.adopt(tier)
            turn = stage.turn(plan.windows)
            if number == 0:
                continue
            note.cycle_ms += turn.cycle_ms
            note.cpu_ms.append(turn.cpu_ms)
            if change is not None:
                note.prepare_ms.append(change.prepare_ms)
                note.gap_ms.append(change.gap_ms)
    return {
        tier: WindowCost(
            cycle_ms=float(np.median(note.cycle_ms)),
            cycle_p95_ms=float(np.percentile(note.cycle_ms, 95)),
            cpu_ms=float(np.median(note.cpu_ms)),
            prepare_ms=float(np.median(note.prepare_ms)),
            gap_ms=float(np.median(note.gap_ms)),
        )
        for tier, note in notes.items()
    }
