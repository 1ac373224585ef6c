import json
import shutil
from pathlib import Path
from statistics import stdev
from typing import Any

import numpy as np
import pytest
import torch

from tests.tools.dataset.sources import write_sources
from tools import speakers
from tools.dataset import DatasetError, Folders, Sounds
from tools.distil import EVEN
from tools.networks.audio import AudioBranch
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.speakers import Settings, finished, leave_each_out, shipped_shape
from tools.training.checkpoint import load_checkpoint
from tools.training.saved import save_students

SETTINGS = Settings("clean", (12, 12, 12, 12, 16, 16), voices=False, steps=60, batch=32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Two speakers of ten words, said twelve times each."""
    return write_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def out(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record after each was left out."""
    directory = tmp_path_factory.mktemp("run")
    leave_each_out(SETTINGS, folders, directory / "speakers.jsonl", directory / "cache")
    return directory / "speakers.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_speaker_is_left_out_and_tested_on_every_word(out: Path) -> None:
    found = [line for line in lines(out) if line["event"] == "speaker"]
    assert [(line["speaker"], line["output"]) for line in found] == [
        (speaker, output) for speaker in ("anna", "ben") for output in ("full", "prefix")
    ]
    assert all(line["words"] == 120 for line in found)
    assert all(line["protocol"] == "clean" for line in found)
    assert all(line["settings"] == SETTINGS.document() for line in found)
    for speaker in ("anna", "ben"):
        name = f"clean-{speaker}-{SETTINGS.key()}.pt"
        state = load_checkpoint(out.with_suffix("") / "checkpoints" / name)
        assert state is not None
        # The other one's 7 words of each digit that are neither validation nor test, in 4 mixes.
        assert state["settings"]["samples"] == 7 * 10 * 4
    epochs = lines(out.with_suffix("") / "epochs.jsonl")
    assert len({line["stage"] for line in epochs}) == 2
    for stage in {line["stage"] for line in epochs}:
        losses = [line["loss"] for line in epochs if line["stage"] == stage]
        # Tones are told by their pitch alone, which other voices vary.
        assert losses[-1] < 0.9 * losses[0]


def test_the_means_are_those_of_the_speakers(out: Path) -> None:
    for output in ("full", "prefix"):
        shares = [
            line["accuracy"]
            for line in lines(out)
            if line["event"] == "speaker" and line["output"] == output
        ]
        (mean,) = (
            line for line in lines(out) if line["event"] == "mean" and line["output"] == output
        )
        assert mean["accuracy"] == pytest.approx(sum(shares) / 2, abs=1e-5)
        assert mean["spread"] == pytest.approx(stdev(shares), abs=1e-5)
        assert mean["speakers"] == 2


def test_a_finished_speaker_is_not_trained_again(
    out: Path, folders: Folders, tmp_path: Path
) -> None:
    mine = tmp_path / "speakers.jsonl"
    before = [line for line in lines(out) if line.get("speaker") == "anna"]
    mine.write_text("".join(json.dumps(line) + "\n" for line in before))
    reached = leave_each_out(SETTINGS, folders, mine, out.parent / "cache")
    assert reached == finished(out, SETTINGS)
    added = lines(mine)[len(before) :]
    assert [line.get("speaker") for line in added] == ["ben", "ben", None, None]
    stages = {line["stage"] for line in lines(tmp_path / "speakers" / "epochs.jsonl")}
    assert stages == {f"clean-ben-{SETTINGS.key()}"}
    size = mine.stat().st_size
    assert leave_each_out(SETTINGS, folders, mine, out.parent / "cache") == reached
    assert mine.stat().st_size == size


def test_other_settings_are_another_run(out: Path) -> None:
    for other in (
        Settings("clean", SETTINGS.audio, voices=False, steps=61, batch=32),
        Settings("clean", SETTINGS.audio, voices=True, steps=60, batch=32),
        Settings("published", SETTINGS.audio, voices=False, steps=60, batch=32),
    ):
        assert finished(out, other) == {}
        assert other.key() != SETTINGS.key()


def test_half_a_speaker_does_not_count(out: Path, tmp_path: Path) -> None:
    first, *_ = lines(out)
    (tmp_path / "half.jsonl").write_text(json.dumps(first) + "\n")
    assert finished(tmp_path / "half.jsonl", SETTINGS) == {}
    assert finished(tmp_path / "none.jsonl", SETTINGS) == {}


def test_words_without_an_onset_count_and_noise_without_a_word_does_not() -> None:
    torch.manual_seed(0)
    network = AudioBranch(channels=(4, 4, 4, 4, 4, 4)).eval()
    with torch.no_grad():
        for head, answer in ((network.head, 3), (network.prefix_head, 7)):
            head.weight.zero_()
            head.bias.copy_(torch.arange(10) == answer)
    columns = np.full((5, 64, 40), 128, dtype=np.uint8)
    columns[1] = 0  # a word that was not found
    sounds = Sounds(
        columns,
        np.array([3, 3, 7, 5, -1], dtype=np.int8),
        np.array([10, 10, 11, 12, -1], dtype=np.int32),
        np.array([True, False, True, True, True]),
    )
    assert speakers.test(network, sounds) == ({"full": 0.5, "prefix": 0.25}, 3)


def test_one_speaker_cannot_be_left_out(folders: Folders, tmp_path: Path) -> None:
    fsdd = tmp_path / "fsdd"
    fsdd.mkdir()
    for path in folders.fsdd.glob("*_anna_*.wav"):
        shutil.copy(path, fsdd)
    alone = Folders(folders.mnist, fsdd, folders.noise)
    with pytest.raises(DatasetError, match="two speakers"):
        leave_each_out(SETTINGS, alone, tmp_path / "out.jsonl", tmp_path)


def test_the_branch_is_as_wide_as_the_shipped_one(tmp_path: Path) -> None:
    assert shipped_shape(tmp_path) == EVEN
    save_students(tmp_path, Students(Shape(audio=(8, 9, 9, 9, 9, 9), bands=(3, 37))))
    assert shipped_shape(tmp_path).audio == (8, 9, 9, 9, 9, 9)
    assert shipped_shape(tmp_path).bands == (3, 37)


def test_missing_words_are_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        speakers.main(["--data", str(tmp_path), "--out", str(tmp_path / "speakers.jsonl")])
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{tmp_path / 'fsdd'}: no wav files" in said


def test_the_table_has_every_speaker_and_the_mean(capsys: pytest.CaptureFixture[str]) -> None:
    reached = {"anna": {"full": 0.9, "prefix": 0.7}, "ben": {"full": 0.8, "prefix": 0.6}}
    speakers.show(SETTINGS, reached)
    shown = capsys.readouterr().out
    assert "without synthetic voices" in shown
    rows = [line.split("│")[1:-1] for line in shown.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert cells == [
        ["full", "90.0", "80.0", "85.0", "7.1"],
        ["prefix", "70.0", "60.0", "65.0", "7.1"],
    ]
