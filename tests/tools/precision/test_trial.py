import sys
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.inference.interpreter import Interpreter, runtime_version
from tests.tools.precision.conftest import Small
from tools.evaluation.latency import interleaved_us
from tools.precision.trial import Outcome, TrialError, survey, try_in


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    images = np.random.default_rng(1).integers(0, 256, (6, 28, 28), np.uint8)
    np.savez(tmp_path / "inputs.npz", image=images)
    return tmp_path / "inputs.npz"


def test_every_file_gets_an_outcome(small: Small, inputs: Path, tmp_path: Path) -> None:
    models = {"int8": small.int8, "broken": small.int8[:1000], "mixed": small.mixed}
    files = {}
    for name, model in models.items():
        files[name] = tmp_path / f"{name}.tflite"
        files[name].write_bytes(model)
    runtime, found = survey(Path(sys.executable), files, inputs, 20)
    assert runtime == runtime_version()
    assert list(found) == ["int8", "broken", "mixed"]
    assert isinstance(found["broken"], str) and sys.executable in found["broken"]
    with np.load(inputs) as arrays:
        images = arrays["image"]
    for name in ("int8", "mixed"):
        outcome = found[name]
        assert isinstance(outcome, Outcome)
        interpreter = Interpreter(models[name])
        wanted = [
            interpreter.run({"image": image[None, :, :, None].astype(np.float32) / 255})["logits"]
            for image in images
        ]
        assert outcome.answers == [int(logits.argmax()) for logits in wanted]
        assert outcome.delegated
        assert 0.0 < outcome.median_us <= outcome.late_us


def test_what_cannot_be_started_is_said(small: Small, inputs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="nopython: cannot be started: No such file"):
        try_in(tmp_path / "nopython", [inputs], inputs, 0)


def test_a_killed_process_is_said(inputs: Path, tmp_path: Path) -> None:
    deadly = tmp_path / "python"
    deadly.write_text("#!/bin/sh\nkill -SEGV $$\n")
    deadly.chmod(0o755)
    with pytest.raises(TrialError, match="killed by SIGSEGV"):
        try_in(deadly, [inputs], inputs, 0)


class Sleeping:
    """Stands for an interpreter whose inference takes a known time."""

    inputs: dict[str, object] = {}  # noqa: RUF012 (a constant)

    def __init__(self, calls: list["Sleeping"]) -> None:
        self.calls = calls

    def run(self, _: object) -> None:
        self.calls.append(self)


def test_every_round_runs_each_once_in_changing_order() -> None:
    calls: list[Sleeping] = []
    models = [Sleeping(calls) for _ in range(3)]
    times = interleaved_us(models, rounds=40)  # type: ignore[arg-type]
    assert len(times) == 3
    rounds = [calls[at : at + 3] for at in range(len(calls) - 120, len(calls), 3)]
    assert all(set(some) == set(models) for some in rounds)
    assert len({tuple(map(id, some)) for some in rounds}) == 6
