"""How long one inference takes."""

import time
from collections.abc import Sequence

import numpy as np

from edge_daemon.inference.interpreter import Interpreter

WARM_UP = 50
RUNS = 2000


def interleaved_us(
    interpreters: Sequence[Interpreter], rounds: int = RUNS
) -> list[tuple[float, float]]:
    """Return median and 95th percentile in µs of each, quantising and dequantising included.

    Every round runs each of them once, in an order drawn anew: what else the machine does hits
    all alike, and their times compare even where they drift.
    """
    inputs = [
        {name: np.full(info.shape, 0.5, np.float32) for name, info in interpreter.inputs.items()}
        for interpreter in interpreters
    ]
    for interpreter, some in zip(interpreters, inputs, strict=True):
        for _ in range(WARM_UP):
            interpreter.run(some)
    random = np.random.default_rng(0)
    taken_ns = np.empty((len(interpreters), rounds))
    for turn in range(rounds):
        for index in random.permutation(len(interpreters)):
            began_ns = time.perf_counter_ns()
            interpreters[index].run(inputs[index])
            taken_ns[index, turn] = time.perf_counter_ns() - began_ns
    return [
        (float(median_ns) / 1e3, float(late_ns) / 1e3)
        for median_ns, late_ns in np.quantile(taken_ns, [0.5, 0.95], axis=1).T
    ]
