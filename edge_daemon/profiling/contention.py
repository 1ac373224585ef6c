"""How much longer a window takes while other programs keep all cores but one busy."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

from edge_daemon.profiling.plan import Plan
from edge_daemon.profiling.stage import Stage
from edge_daemon.profiling.windows import Tell
from edge_daemon.tier import TIERS

# Counts and copies, as programs do: a core's clock, the shared cache and the memory all feel it.
# It ends with whoever started it, however that ends.
_PROGRAM = """
import os, sys
parent, block = int(sys.argv[1]), bytearray(1 << 20)
print(flush=True)
while os.getppid() == parent:
    for _ in range(20):
        bytes(block)
        sum(range(5000))
"""


@contextmanager
def busy_core() -> Iterator[int]:
    """Keep one core busy with a child process; gives its id."""
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        try:
            if child.stdout is not None:
                child.stdout.readline()  # until it has begun
            yield child.pid
        finally:
            child.kill()


def measure_contention(stage: Stage, plan: Plan, cores: float, tell: Tell) -> float:
    """Return by how much a window's time grows, as a share of itself; 0 on a single core.

    Args:
        stage: where windows run.
        plan: how often.
        cores: cores that this process may use; a quota counts for the children as well.
        tell: takes what is being done now.
    """
    busy = int(cores) - 1
    if busy < 1:
        return 0.0
    ratios: list[float] = []
    for number in range(plan.busy_rounds):
        tell(f"windows beside {busy} busy core{'s' * (busy > 1)}, round {number + 1}")
        alone = _round(stage, plan)
        with ExitStack() as neighbours:
            for _ in range(busy):
                neighbours.enter_context(busy_core())
            crowded = _round(stage, plan)
        ratios += [with_ms / without_ms for with_ms, without_ms in zip(crowded, alone, strict=True)]
    return max(0.0, float(np.median(ratios)) - 1.0)


def _round(stage: Stage, plan: Plan) -> list[float]:
    """Return the median time of a window of each tier."""
    medians = []
    for tier in TIERS:
        stage.adopt(tier)
        medians.append(float(np.median(stage.turn(plan.busy_windows).cycle_ms)))
    return medians
