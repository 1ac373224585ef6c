"""Runs models on inputs of every size, in a process that they may take down with them.

    python -m tests.fuzz.inputs FILE...

prints the name of each file once it has borne them all.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.interpreter import Interpreter

_SCALES = (0.0, 1.0, 5.0, 100.0, -1e30, 1e30, np.inf, np.nan)
_TURNS = 3


def inputs(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yield what features may be, and what they may not."""
    for _ in range(_TURNS):
        for scale in _SCALES:
            yield (rng.random(shape) * scale).astype(np.float32)


def main(files: Sequence[str]) -> None:
    """Run each file on all inputs."""
    rng = np.random.default_rng(1)
    for file in files:
        model = Interpreter(Path(file).read_bytes(), name=file)
        kinds = [inputs(info.shape, rng) for info in model.inputs.values()]
        for arrays in zip(*kinds, strict=True):
            model.run(dict(zip(model.inputs, arrays, strict=True)))
        sys.stdout.write(f"{file}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main(sys.argv[1:])
