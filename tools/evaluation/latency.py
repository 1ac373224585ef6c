"""How long one inference takes."""

import time

import numpy as np

from edge_daemon.inference.interpreter import Interpreter

WARM_UP = 50
RUNS = 2000


def latency_us(interpreter: Interpreter, runs: int = RUNS) -> tuple[float, float]:
    """Return median and 95th percentile in µs, quantising and dequantising included."""
    inputs = {
        name: np.full(info.shape, 0.5, np.float32) for name, info in interpreter.inputs.items()
    }
    for _ in range(WARM_UP):
        interpreter.run(inputs)
    taken_ns = np.empty(runs)
    for run in range(runs):
        began_ns = time.perf_counter_ns()
        interpreter.run(inputs)
        taken_ns[run] = time.perf_counter_ns() - began_ns
    median_ns, late_ns = np.quantile(taken_ns, [0.5, 0.95])
    return float(median_ns) / 1e3, float(late_ns) / 1e3
