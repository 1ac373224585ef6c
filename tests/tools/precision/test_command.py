"""The command as a user runs it, on generated data and students that have learnt nothing."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from edge_daemon.inference.interpreter import Interpreter, runtime_version
from edge_daemon.tier import Tier
from tools.adapt_precision import main
from tools.dataset import Dataset
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.precision.trial import TrialError
from tools.training.saved import save_students

NAMES = ["int8", "by Fisher", "by output", "int4", "int16 activations"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    save_students(directory / "ra_cmkd", Students(Shape(visual_14=(8, 16, 24, 24))))
    return directory


@pytest.mark.slow
def test_all_precisions_are_measured_and_one_ships(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--smoke", "--run", str(run), "--tier", "critical", "--python", sys.executable])
    students = run / "ra_cmkd"
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in (students / "precision.jsonl").read_text().splitlines()
    ]
    layers = [line for line in lines if line["event"] == "significance"]
    assert len(layers) == 9
    assert all(line["fisher"]["4"] > line["fisher"]["8"] > 0.0 for line in layers)
    rows = {line["precision"]: line for line in lines if line["event"] == "precision"}
    assert list(rows) == NAMES
    assert rows["int4"]["bytes"] < rows["by Fisher"]["bytes"] < rows["int8"]["bytes"]
    for name, row in rows.items():
        file = students / "precision" / f"critical-{name.replace(' ', '-')}.tflite"
        assert file.stat().st_size == row["bytes"]
        assert row["low"] <= row["accuracy"] <= row["high"]
        Interpreter(file.read_bytes())
    trials = {line["precision"]: line for line in lines if line["event"] == "trial"}
    assert list(trials) == NAMES
    assert {line["runtime"] for line in trials.values()} == {runtime_version()}
    assert [line["delegated"] for line in trials.values()] == [True] * 4 + [False]
    assert all(line["same"] == 1.0 for line in trials.values())
    (verdict,) = (line for line in lines if line["event"] == "verdict")
    assert {verdict["precision"], *verdict["others"]} == set(NAMES)
    assert "int16 activations" in verdict["others"]
    assert capsys.readouterr().out.count("ships") == 1


def test_students_hear_the_bands_that_are_left_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_students(tmp_path / "ra_cmkd", Students(Shape(bands=(3, 35))))
    heard: list[int] = []

    def candidates(
        students: Students, tier: Tier, train: Sequence[Dataset], *_: object
    ) -> Sequence[object]:
        heard.extend(some.sounds.columns.shape[2] for some in train)
        return []

    def measured(
        students: Students, tier: Tier, candidates: object, kept_aside: Dataset, *_: object
    ) -> Sequence[object]:
        heard.append(kept_aside.sounds.columns.shape[2])
        raise TrialError("heard enough")

    monkeypatch.setattr("tools.adapt_precision.make_candidates", candidates)
    monkeypatch.setattr("tools.adapt_precision.measure", measured)
    with pytest.raises(SystemExit):
        main(["--smoke", "--run", str(tmp_path)])
    assert "heard enough" in capsys.readouterr().err
    assert heard == [32] * 3


def test_without_students_the_remedy_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--smoke", "--run", str(tmp_path)])
    assert stopped.value.code == 1
    assert "python -m tools.distil" in capsys.readouterr().err


def test_a_share_is_a_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--smoke", "--run", str(tmp_path), "--saved", "30"])
    assert "30: not from 0 to 1" in capsys.readouterr().err
