"""The three commands as a user runs them, on generated data."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from edge_daemon.inference.bundle import check_models, load_bundle
from edge_daemon.tier import TIERS, Tier
from tools.sources import Sources
from tools.tiers import AUDIO_SPECS, IMAGE_SPECS, LABELS
from tools.train import SMOKE_PLAN, train
from tools.training.checkpoint import CheckpointError, load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120


def command(stage: str, *arguments: object) -> list[str]:
    words = [sys.executable, "-m", f"tools.{stage}", "--smoke", "--threads", "1"]
    return words + [str(argument) for argument in arguments]


def run(stage: str, *arguments: object) -> str:
    done = subprocess.run(
        command(stage, *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that trained without interruption."""
    directory = tmp_path_factory.mktemp("run")
    run("train", "--run", directory)
    return directory


@pytest.fixture(scope="module")
def bundle(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle."""
    directory = tmp_path_factory.mktemp("bundles") / "digits"
    run("convert", "--run", finished, "--bundle", directory, "--version", "1.2.3")
    return directory


def test_training_leaves_a_record(finished: Path) -> None:
    lines = (finished / "train.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    stages = [event["stage"] for event in events if event["event"] == "epoch"]
    assert stages == ["visual_14"] * 2 + ["visual_28"] * 2 + ["audio"] * 2
    last = [event for event in events if event["event"] == "epoch"][-1]
    assert min(last["accuracy"]["clean"]) > 0.9
    outputs = [event["output"] for event in events if event["event"] == "calibration"]
    assert outputs == ["14", "28", "full", "prefix"]


def test_a_killed_run_goes_on_to_the_same_result(finished: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        command("train", "--run", tmp_path), cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            # One epoch of the second stage is done, the other is running.
            if line.startswith("visual_28"):
                break
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "students.pt").exists()
    state = load_checkpoint(tmp_path / "checkpoints" / "visual_28.pt")
    assert state is not None and state["epochs_done"] >= 1
    run("train", "--run", tmp_path)
    whole, resumed = (load_checkpoint(path / "students.pt") for path in (finished, tmp_path))
    assert whole is not None and resumed is not None
    assert whole["students"].keys() == resumed["students"].keys()
    for name, weights in whole["students"].items():
        assert torch.equal(weights, resumed["students"][name]), name


def test_another_runs_checkpoints_are_refused(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "checkpoints", tmp_path / "checkpoints")
    with pytest.raises(CheckpointError, match=r"visual_14\.pt.*name another --run"):
        train(Sources(None), tmp_path, SMOKE_PLAN, seed=1)


def test_branches_trained_apart_are_those_trained_together(finished: Path, tmp_path: Path) -> None:
    sources = Sources(None)
    for branch in reversed(SMOKE_PLAN):
        assert train(sources, tmp_path, SMOKE_PLAN, seed=0, only=branch) is None
    together = load_checkpoint(finished / "students.pt")
    apart = train(sources, tmp_path, SMOKE_PLAN, seed=0)
    assert together is not None and apart is not None
    for name, weights in apart.state_dict().items():
        assert torch.equal(weights, together["students"][name]), name


def test_the_bundle_is_sound(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert (loaded.name, loaded.version, loaded.labels) == ("digits", "1.2.3", LABELS)
    reports = check_models(loaded)
    assert set(reports) == set(TIERS)
    for tier, spec in loaded.tiers.items():
        assert (spec.inputs.image, spec.inputs.audio) == (IMAGE_SPECS[tier], AUDIO_SPECS[tier])
        assert spec.output == "logits"
        assert spec.macs > 100_000
    assert sum(spec.bytes for spec in loaded.tiers.values()) < 220_000


def test_evaluation_measures_the_files(finished: Path, bundle: Path) -> None:
    output = run("evaluate", "--run", finished, "--bundle", bundle, "--write", "--json")
    figures = json.loads(output)
    accuracy = {(row["tier"], row["protocol"]): row for row in figures["accuracy"]}
    assert set(accuracy) == {(tier, name) for tier in TIERS for name in ("live", "clean")}
    for row in accuracy.values():
        assert row["samples"] == 200
        assert row["low"] <= row["int8"] <= row["high"]
        assert row["int8"] > 0.9
        assert row["agreement"] > 0.9
    cost = {row["tier"]: row for row in figures["cost"]}
    assert cost["critical"]["macs"] < cost["low"]["macs"] < cost["medium"]["macs"]
    assert cost["medium"]["macs"] < cost["high"]["macs"]
    assert all(row["delegated"] and row["median_us"] > 0 for row in cost.values())
    written = load_bundle(bundle).tiers[Tier.LOW].accuracy
    assert [(line.protocol, line.samples) for line in written] == [("live", 200), ("clean", 200)]
    assert written[0].value == pytest.approx(accuracy["low", "live"]["int8"], abs=1e-5)


def test_without_a_run_the_remedy_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        command("convert", "--run", tmp_path, "--bundle", tmp_path / "b"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode != 0
    assert "python -m tools.train" in done.stderr
