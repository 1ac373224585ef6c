"""Prints what each model of a bundle gives out for inputs that are the same everywhere.

    python outputs.py BUNDLE

It needs the daemon alone, so that it runs on a board as it does here: int8 arithmetic is exact but
for how a kernel rounds, so that two machines may differ by 1 in a number and by no more.
"""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.bundle import Bundle, load_bundle
from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.inference.tensor import TensorInfo
from edge_daemon.tier import Tier

INPUTS = 32
"""Of each model: none of a modality, every integer as likely as any other, and smooth ones."""

Outputs = dict[str, dict[str, list[list[int]]]]
"""By tier and by name of the output: a list of integers for each input."""


def outputs(bundle: Bundle) -> Outputs:
    """Run every model on the fixed inputs.

    Raises:
        InterpreterError: a model cannot be loaded or run.
    """
    return {tier.value: _of_model(bundle, tier) for tier in bundle.tiers}


def _of_model(bundle: Bundle, tier: Tier) -> dict[str, list[list[int]]]:
    interpreter = Interpreter(bundle.path / bundle.tiers[tier].file)
    found: dict[str, list[list[int]]] = {name: [] for name in interpreter.outputs}
    for number in range(INPUTS):
        given = {
            name: _input(info, number, list(interpreter.inputs).index(name))
            for name, info in interpreter.inputs.items()
        }
        for name, values in interpreter.run(given).items():
            found[name].append(_integers(interpreter.outputs[name], values))
    interpreter.close()
    return found


def _input(info: TensorInfo, number: int, place: int) -> NDArray[np.float32]:
    """Return the values, float32 in the input's shape, whose integers are the wanted ones."""
    random = np.random.Generator(np.random.PCG64([number, place]))
    limits = np.iinfo(info.dtype)
    integers = random.integers(limits.min, limits.max, info.shape, endpoint=True)
    if number % 4 == place:
        integers[...] = info.zero_point
    elif number % 2 == 0:
        length = integers.size
        ramp = np.arange(length).reshape(info.shape) * (number + 1) // 4
        integers = ramp % (limits.max - limits.min + 1) + limits.min
    real = (integers - info.zero_point) * np.float32(info.scale)
    return np.asarray(real, np.float32)


def _integers(info: TensorInfo, values: NDArray[np.float32]) -> list[int]:
    integers = np.rint(values / np.float32(info.scale)) + info.zero_point
    return [int(value) for value in integers.ravel()]


if __name__ == "__main__":
    json.dump(outputs(load_bundle(Path(sys.argv[1]))), sys.stdout)
