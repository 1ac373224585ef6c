"""From teacher to measured bundle as a user does it, on generated data."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from edge_daemon.features.spec import ImageSpec
from edge_daemon.inference.bundle import Bundle, check_models, load_bundle
from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.tier import TIERS, Tier
from tools import convert, distil, evaluate, teach
from tools.compression.budgets import Budgets
from tools.compression.cost import costs
from tools.evaluation.answers import tensor
from tools.evaluation.teacher import MODEL_FILE, teacher_pairs
from tools.generated import generated
from tools.networks.shape import Shape
from tools.sources import Sources
from tools.teach import load_teacher
from tools.tiers import AUDIO_SPECS, IMAGE_SPECS, LABELS
from tools.training.checkpoint import load_checkpoint
from tools.training.samples import tensors
from tools.training.saved import load_students

ROOT = Path(__file__).resolve().parents[2]
PAIRS = 200
PROTOCOLS = ("live", "clean")
OURS = ("--method", "ra_cmkd", "--rounds", "12")
"""Enough rounds that every tier has learnt what its file can be held to."""


def call(command: ModuleType, run: Path, *arguments: object) -> None:
    """Run a command in a run's directory, here: imports take longer than what is to be done."""
    command.main(["--smoke", "--run", str(run), *map(str, arguments)])


def process(stage: str, run: Path, *arguments: object) -> list[str]:
    """Return the words that run a command as a process of its own."""
    words = [sys.executable, "-m", f"tools.{stage}", "--smoke", "--run", run, *arguments]
    return [str(word) for word in words]


def complaint(
    capsys: pytest.CaptureFixture[str], command: ModuleType, run: Path, *arguments: object
) -> str:
    """Run a command that must fail; return the one line that says why."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        call(command, run, *arguments)
    assert left.value.code == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


def events(path: Path, name: str) -> list[dict[str, Any]]:
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["event"] == name]


def assert_same_weights(found: Path, wanted: Path, key: str) -> None:
    weights, expected = load_checkpoint(found), load_checkpoint(wanted)
    assert weights is not None and expected is not None
    assert weights[key].keys() == expected[key].keys()
    for name, values in expected[key].items():
        assert torch.equal(weights[key][name], values), name


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a teacher and the students of two methods."""
    run = tmp_path_factory.mktemp("run")
    call(teach, run)
    call(distil, run, "--method", "experts")
    call(distil, run, *OURS)
    return run


@pytest.fixture(scope="module")
def figures(taught: Path) -> dict[str, list[dict[str, Any]]]:
    """What evaluation printed of RA-CMKD's bundle, and nothing beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "CALIBRATION_SAMPLES", 64)
        call(convert, taught, "--version", "1.2.3")
    words = process("evaluate", taught, "--write", "--json")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return figures


@pytest.fixture(scope="module")
def bundle(taught: Path, figures: dict[str, list[dict[str, Any]]]) -> Bundle:
    return load_bundle(taught / "ra_cmkd" / "bundle")


def test_the_teacher_leaves_a_record(taught: Path) -> None:
    record = taught / "teach.jsonl"
    epochs = events(record, "epoch")
    assert [epoch["stage"] for epoch in epochs] == ["visual", "audio"]
    for last in epochs:
        assert set(last["accuracy"]) == set(PROTOCOLS)
        assert min(value for values in last["accuracy"].values() for value in values) > 0.9
    teacher = load_teacher(taught)
    for line in events(record, "calibration"):
        assert float(teacher.get_buffer(f"tau_{line['branch']}")) == pytest.approx(line["tau"])
        assert line["tau"] != 1.0
    assert not teacher.training


def test_a_teacher_that_is_finished_later_is_the_same(taught: Path, tmp_path: Path) -> None:
    call(teach, tmp_path, "--only", "visual")
    assert not (tmp_path / "teacher.pt").exists()
    call(teach, tmp_path)
    assert_same_weights(tmp_path / "teacher.pt", taught / "teacher.pt", "teacher")


def test_every_method_leaves_a_record(taught: Path) -> None:
    experts, ours = (taught / name / "distil.jsonl" for name in ("experts", "ra_cmkd"))
    rounds = events(experts, "round")
    assert [line["stage"] for line in rounds] == ["students"] * 4
    assert all(set(line["loss"]) == {"task"} for line in rounds)
    assert rounds[-1]["loss"]["task"] < 0.7 * rounds[0]["loss"]["task"]
    outputs = [line["output"] for line in events(experts, "calibration")]
    assert outputs == ["28", "14", "full", "prefix"]
    rounds = events(ours, "round")
    stages = []
    for stage, share in (
        ("gated", distil.GATED),
        ("tuned", distil.TUNED),
        ("fake_quantised", 1.0 - distil.GATED - distil.TUNED),
    ):
        stages += [stage] * distil.Rounds(12).plan(share, distil.RATE).rounds
    assert [line["stage"] for line in rounds] == stages
    for line in rounds:
        priced = {"resource"} if line["stage"] == "gated" else set()
        assert set(line["loss"]) == {"task", "distill", "align"} | priced
        assert set(line["reached"]) == set(TIERS)


def test_pruned_students_are_smaller_and_within_budgets(taught: Path) -> None:
    students = load_students(taught / "ra_cmkd")
    whole, shape = Shape(), students.shape
    for name in ("visual_28", "visual_14", "audio"):
        before, after = getattr(whole, name), getattr(shape, name)
        assert all(few <= many for few, many in zip(after, before, strict=True))
        assert sum(after) < sum(before)
    assert Budgets().exceeded(costs(whole))
    assert not Budgets().exceeded(costs(shape))
    assert shape.folded and not students.training
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in students.modules())
    (line,) = events(taught / "ra_cmkd" / "distil.jsonl", "pruned")
    assert line["before"] == json.loads(json.dumps(whole.document()))
    assert line["after"] == json.loads(json.dumps(shape.document())) | {"folded": False}


def test_a_killed_run_goes_on_to_the_same_weights(taught: Path, tmp_path: Path) -> None:
    for name in ("teacher.pt", "answers.pt"):
        shutil.copy(taught / name, tmp_path)
    words = process("distil", tmp_path, "--method", "experts")
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            # One round is done, the next is running.
            if line.startswith("students 10/"):
                break
        os.kill(running.pid, signal.SIGKILL)
    run = tmp_path / "experts"
    assert not (run / "students.pt").exists()
    state = load_checkpoint(run / "checkpoints" / "students.pt")
    assert state is not None and 1 <= state["epochs_done"] < 4
    call(distil, tmp_path, "--method", "experts")
    assert_same_weights(run / "students.pt", taught / "experts" / "students.pt", "students")


@pytest.mark.parametrize("lost", [("tuned", "fake_quantised"), ("fake_quantised",)])
def test_a_run_that_was_killed_between_stages_too(
    lost: Sequence[str], taught: Path, tmp_path: Path
) -> None:
    for name in ("teacher.pt", "answers.pt"):
        shutil.copy(taught / name, tmp_path)
    shutil.copytree(taught / "ra_cmkd" / "checkpoints", tmp_path / "ra_cmkd" / "checkpoints")
    for stage in lost:
        (tmp_path / "ra_cmkd" / "checkpoints" / f"{stage}.pt").unlink()
    call(distil, tmp_path, *OURS)
    found, wanted = (run / "ra_cmkd" / "students.pt" for run in (tmp_path, taught))
    assert_same_weights(found, wanted, "students")


def test_another_runs_checkpoints_are_refused(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("teacher.pt", "answers.pt"):
        shutil.copy(taught / name, tmp_path)
    shutil.copytree(taught / "experts" / "checkpoints", tmp_path / "experts" / "checkpoints")
    text = complaint(capsys, distil, tmp_path, "--method", "experts", "--seed", "1")
    assert str(tmp_path / "experts" / "checkpoints" / "students.pt") in text
    assert "'seed': 0" in text and "'seed': 1" in text
    assert "name another --run" in text


def test_the_bundle_is_sound(taught: Path, bundle: Bundle) -> None:
    assert (bundle.name, bundle.version, bundle.labels) == ("bundle", "1.2.3", LABELS)
    assert set(check_models(bundle)) == set(TIERS)
    bands = load_students(taught / "ra_cmkd").shape.bands
    budgets = Budgets()
    for tier, spec in bundle.tiers.items():
        assert spec.inputs.image == IMAGE_SPECS[tier]
        wanted = AUDIO_SPECS[tier]
        assert (spec.inputs.audio is None) == (wanted is None)
        if spec.inputs.audio is not None and wanted is not None:
            assert spec.inputs.audio.band_slice == bands
            assert spec.inputs.audio.columns == wanted.columns
        assert spec.output == "logits"
        assert 50_000 < spec.macs <= budgets.tiers[tier].macs
        assert spec.bytes == len(bundle.read_model(tier)) <= budgets.tiers[tier].bytes
    assert sum(spec.bytes for spec in bundle.tiers.values()) <= budgets.bytes


def test_a_manifest_says_what_the_data_are(bundle: Bundle) -> None:
    paper = ImageSpec(height=28, width=28, contrast="ink", fit="ink")
    dataset = replace(generated(20, seed=0), image_28=paper)
    spec = convert.describe(
        Tier.HIGH,
        bundle.read_model(Tier.HIGH),
        dataset,
        bands=(3, 35),
    )
    assert spec.inputs.image == paper
    assert spec.inputs.audio is not None and spec.inputs.audio.band_slice == (3, 35)


def test_evaluation_measures_the_files(
    taught: Path, bundle: Bundle, figures: dict[str, list[dict[str, Any]]]
) -> None:
    accuracy = {(row["tier"], row["protocol"]): row for row in figures["accuracy"]}
    assert set(accuracy) == {(tier, protocol) for tier in TIERS for protocol in PROTOCOLS}
    for row in accuracy.values():
        assert row["samples"] == PAIRS
        assert row["low"] <= row["int8"] <= row["high"]
        assert row["int8"] > 0.7
        assert row["agreement"] > 0.9
    for tier, spec in bundle.tiers.items():
        assert [(told.protocol, told.samples) for told in spec.accuracy] == [
            (protocol, PAIRS) for protocol in PROTOCOLS
        ]
        for told in spec.accuracy:
            assert told.value == pytest.approx(accuracy[tier, told.protocol]["int8"], abs=1e-5)
    record = taught / "ra_cmkd" / "evaluate.jsonl"
    assert [line["tier"] for line in events(record, "cost")] == list(reversed(TIERS))
    for line in events(record, "cost"):
        assert line["macs"] == bundle.tiers[line["tier"]].macs
        assert line["delegated"] and 0.0 < line["median_us"] <= line["late_us"]
        assert 0.1 <= line["silent"] <= 1.0
    assert [line["tier"] for line in events(record, "teacher")] == ["teacher"]


def test_the_answers_that_are_kept_are_those_that_were_counted(
    taught: Path, figures: dict[str, list[dict[str, Any]]]
) -> None:
    kept = np.load(taught / "ra_cmkd" / "answers.npz")
    dataset = Sources(None).load("live", "test")
    for row in figures["accuracy"]:
        tier, protocol = row["tier"], row["protocol"]
        labels = kept[f"labels_{protocol}"]
        assert np.array_equal(labels, dataset.pictures.labels)
        assert float((kept[f"{tier}_{protocol}"] == labels).mean()) == row["int8"]
        groups = kept[f"groups_{tier}_{protocol}"]
        listens = AUDIO_SPECS[Tier(tier)] is not None
        wanted = dataset.sounds.clips[dataset.pairs] if listens else np.arange(PAIRS)
        assert np.array_equal(groups, wanted)


def test_the_file_of_the_teacher_is_the_teacher(
    taught: Path, figures: dict[str, list[dict[str, Any]]]
) -> None:
    teacher = load_teacher(taught)
    pairs = teacher_pairs(Sources(None).load("live", "test"))
    assert pairs.sounds is not None
    images, sounds = (tensors(torch.from_numpy(some)) for some in (pairs.images, pairs.sounds))
    with torch.no_grad():
        seen = teacher.visual(images) / teacher.tau_visual
        heard = teacher.audio(sounds) / teacher.tau_audio
        blank = (torch.zeros_like(some[:1]) for some in (images, sounds))
        branches = (teacher.visual, teacher.audio)
        blind, deaf = (branch(some) for branch, some in zip(branches, blank, strict=True))
        logits = {
            "teacher": seen + heard,
            "teacher-visual": seen + deaf / teacher.tau_audio,
            "teacher-audio": blind / teacher.tau_visual + heard,
        }
    interpreter = Interpreter((taught / MODEL_FILE).read_bytes(), threads=1, name=MODEL_FILE)
    for row in range(0, PAIRS, 20):
        inputs = {"image": tensor(pairs.images[row]), "audio": tensor(pairs.sounds[row])}
        found = torch.from_numpy(interpreter.run(inputs)["logits"][0])
        torch.testing.assert_close(found, logits["teacher"][row], atol=1e-3, rtol=1e-3)
    lines = events(taught / "teacher.jsonl", "accuracy")
    assert {(line["tier"], line["protocol"]) for line in lines} == {
        (sense, protocol) for sense in logits for protocol in PROTOCOLS
    }
    for line in lines:
        right = (logits[line["tier"]].argmax(1).numpy() == pairs.labels).mean()
        assert line["value"] == pytest.approx(right, abs=1.5 / PAIRS)
        assert line["low"] <= line["value"] <= line["high"]
    (cost,) = events(taught / "teacher.jsonl", "cost")
    assert cost["bytes"] == (taught / MODEL_FILE).stat().st_size
    # Almost nothing but weights of 4 bytes; those of batch normalisation are folded.
    assert 3.8 < cost["bytes"] / cost["parameters"] < 4.5
    assert cost["macs"] > 20 * Budgets().tiers[Tier.HIGH].macs / 4


def test_without_a_teacher_the_remedy_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = complaint(capsys, distil, tmp_path)
    assert str(tmp_path / "teacher.pt") in text and "python -m tools.teach" in text


@pytest.mark.parametrize("command", [convert, evaluate])
def test_without_students_the_remedy_is_named(
    command: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = complaint(capsys, command, tmp_path, "--method", "hinton")
    assert str(tmp_path / "hinton" / "students.pt") in text and "python -m tools.distil" in text


def test_without_a_bundle_its_place_is_named(
    taught: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = complaint(capsys, evaluate, taught, "--method", "experts")
    assert str(taught / "experts" / "bundle" / "bundle.yaml") in text
