"""What a runtime makes of model files, in a process of its own: it may be another environment's.

A kernel that a runtime lacks can end the process, and one that it has can compute something else.
So every file is first run alone over known inputs; those that survive are then timed together.

    PYTHON -m tools.precision.trial --rounds 2000 INPUTS.npz MODEL...

prints one JSON line. PYTHON needs numpy and a TFLite runtime, nothing of the tools.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.interpreter import Interpreter, InterpreterError, runtime_version
from tools.evaluation.latency import interleaved_us

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300.0
"""After which a runtime is said to hang."""


class TrialError(Exception):
    """A runtime did not run a file; the text says why."""


@dataclass(frozen=True)
class Trial:
    """What one process found, of one or more models in the order given.

    Attributes:
        runtime: name and version.
        delegated: of each model, whether XNNPACK runs all or a part of it.
        answers: of each model, the label of each input.
        median_us: of one inference of each model.
        late_us: the 95th percentile.
    """

    runtime: str
    delegated: list[bool]
    answers: list[list[int]]
    median_us: list[float]
    late_us: list[float]


@dataclass(frozen=True)
class Outcome:
    """What a runtime makes of one file.

    Attributes:
        delegated: whether XNNPACK runs all or a part of it.
        answers: the label of each input.
        median_us: of one inference with one thread.
        late_us: the 95th percentile.
    """

    delegated: bool
    answers: list[int]
    median_us: float
    late_us: float


def answers(interpreter: Interpreter, inputs: Mapping[str, NDArray[np.uint8]]) -> list[int]:
    """Return the label of each of the inputs, uint8 [N, rows, columns]."""
    return [
        int(
            interpreter.run(
                {
                    name: values[index][None, :, :, None].astype(np.float32) / np.float32(255.0)
                    for name, values in inputs.items()
                }
            )["logits"].argmax()
        )
        for index in range(len(next(iter(inputs.values()))))
    ]


def try_here(models: Sequence[Path], inputs: Path, rounds: int) -> Trial:
    """Run and time the files in this process.

    Raises:
        InterpreterError: one of them cannot be loaded.
    """
    with np.load(inputs) as arrays:
        values = dict(arrays)
    loaded = [Interpreter(path.read_bytes(), threads=1, name=path.name) for path in models]
    found = [answers(interpreter, values) for interpreter in loaded]
    times = interleaved_us(loaded, rounds) if rounds else []
    return Trial(
        runtime=runtime_version(),
        delegated=[interpreter.delegated for interpreter in loaded],
        answers=found,
        median_us=[round(median_us, 1) for median_us, _ in times],
        late_us=[round(late_us, 1) for _, late_us in times],
    )


def try_in(python: Path, models: Sequence[Path], inputs: Path, rounds: int) -> Trial:
    """Run and time the files in a process of another interpreter of Python.

    Args:
        python: its executable.
        models: the files.
        inputs: an .npz of uint8 [N, rows, columns] for each input by name.
        rounds: timed inferences of each; 0 for none.

    Raises:
        TrialError: the process failed, was killed or hung.
    """
    words = [str(python), "-m", __name__, "--rounds", str(rounds), str(inputs), *map(str, models)]
    try:
        done = subprocess.run(
            words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except OSError as error:
        raise TrialError(f"{python}: cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise TrialError(f"{python}: still running after {PATIENCE_S:.0f} s") from error
    if done.returncode < 0:
        raise TrialError(f"{python}: killed by {signal.Signals(-done.returncode).name}")
    if done.returncode > 0:
        said = done.stderr.strip().splitlines() or ["nothing said"]
        raise TrialError(f"{python}: {said[-1]}")
    return Trial(**json.loads(done.stdout.splitlines()[-1]))


def survey(
    python: Path, models: Mapping[str, Path], inputs: Path, rounds: int
) -> tuple[str, dict[str, Outcome | str]]:
    """Try every file alone and time those that run, in one interleaved run.

    Returns:
        The runtime's name and version, or the executable's where nothing ran; and for each model
        what came out, or why nothing did.
    """
    runtime = str(python)
    trials: dict[str, Trial] = {}
    found: dict[str, Outcome | str] = {}
    for name, path in models.items():
        try:
            trials[name] = try_in(python, [path], inputs, 0)
            runtime = trials[name].runtime
        except TrialError as error:
            found[name] = str(error)
    if trials:
        together = try_in(python, [models[name] for name in trials], inputs, rounds)
        for at, (name, alone) in enumerate(trials.items()):
            median_us, late_us = together.median_us[at], together.late_us[at]
            found[name] = Outcome(alone.delegated[0], alone.answers[0], median_us, late_us)
    return runtime, {name: found[name] for name in models}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.precision.trial", description=__doc__)
    parser.add_argument("--rounds", type=int, required=True, help="timed inferences of each")
    parser.add_argument("inputs", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    try:
        trial = try_here(options.models, options.inputs, options.rounds)
    except InterpreterError as error:
        parser.exit(1, " ".join(str(error).split()) + "\n")
    sys.stdout.write(json.dumps(asdict(trial)) + "\n")


if __name__ == "__main__":
    main()
