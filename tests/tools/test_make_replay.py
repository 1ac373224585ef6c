import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from edge_daemon.capture.labels import load_labels
from edge_daemon.config import load_config
from tests.tools.dataset.tables import write_table
from tools.dataset import DatasetError
from tools.dataset.files import read_recording
from tools.dataset.parts import assign_parts
from tools.dataset.table import read_table
from tools.make_replay import AFTER_S, BEFORE_S, BLANK_S, FRAMES_HZ, main, write_replay
from tools.make_shapes import write_shapes

NS_PER_S = 1_000_000_000


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("shapes"), each=4)


@pytest.fixture
def replay(shapes: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "replay"
    assert main(["--csv", str(shapes), "--bundle", "models/avdigits", str(folder)]) == 0
    return folder


def test_test_files_alone_are_shown_with_their_label_and_black_between(
    shapes: Path, replay: Path
) -> None:
    rows = read_table(shapes)
    parts = assign_parts(rows, shapes)
    wanted = [row for row, part in zip(rows, parts, strict=True) if part == "test"]
    labels = load_labels(replay / "labels.csv")
    shown = []
    for number, path in enumerate(sorted((replay / "frames").iterdir())):
        image = cv2.imread(str(path))
        assert image is not None
        label = labels.at(round((number + 0.5) / FRAMES_HZ * NS_PER_S))
        assert image.any() == (label != "")
        if label and path.resolve() not in shown:
            shown.append(path.resolve())
            assert label in path.resolve().name
    assert shown == [row.image for row in wanted]


def test_sound_and_frames_last_equally_long_and_agree(shapes: Path, replay: Path) -> None:
    samples, rate_hz = soundfile.read(replay / "audio.flac")
    frames = list((replay / "frames").iterdir())
    assert len(samples) / rate_hz == pytest.approx(len(frames) / FRAMES_HZ)
    with (replay / "labels.csv").open(encoding="utf-8") as file:
        shown_s = [float(row["start_s"]) for row in csv.DictReader(file) if row["label"]]
    rows = read_table(shapes)
    parts = assign_parts(rows, shapes)
    tests = [row.audio for row, part in zip(rows, parts, strict=True) if part == "test"]
    for start_s, path in zip(shown_s, tests, strict=True):
        assert path is not None
        sound = read_recording(path)
        start = round((start_s + BEFORE_S) * rate_hz)
        np.testing.assert_allclose(samples[start : start + len(sound)], sound, atol=1e-4)
        around = samples[start - round(0.5 * rate_hz) : start]
        assert 0 < np.abs(around).max() < 0.1 * np.abs(sound).max()


def test_the_config_is_one_that_the_daemon_takes(replay: Path) -> None:
    config = load_config(replay / "config.yaml", {})
    assert config.bundle == Path("models/avdigits").resolve()
    assert config.replay.video == replay / "frames"
    assert config.replay.rate_hz == FRAMES_HZ
    assert config.replay.pace == "lockstep"


def test_rows_without_picture_or_sound_keep_their_place(shapes: Path, tmp_path: Path) -> None:
    rows = [("", "cross_00.wav", "cross"), ("circle_00.jpg", "", "circle")]
    table = read_table(write_table(shapes.parent / "some.csv", rows))
    write_replay(tmp_path / "r", table, Path("bundle"))
    labels = load_labels(tmp_path / "r" / "labels.csv")
    frames = sorted((tmp_path / "r" / "frames").iterdir())
    shown = [path.resolve().name == "circle_00.jpg" for path in frames]
    assert shown == [False] * 19 + [True] * (len(frames) - 19)
    said = [labels.at(round((n + 0.5) / FRAMES_HZ * NS_PER_S)) for n in range(len(frames))]
    assert said[5] == "cross"
    assert said[-1] == "circle"
    samples, rate_hz = soundfile.read(tmp_path / "r" / "audio.flac")
    length_s = BLANK_S + BEFORE_S + 1.4 + AFTER_S
    assert np.abs(samples[: round(length_s * rate_hz)]).max() > 0.1
    assert not samples[round((length_s + 0.2) * rate_hz) :].any()


def test_it_may_be_made_again_but_overwrites_nothing_else(replay: Path, shapes: Path) -> None:
    before = sorted(path.name for path in (replay / "frames").iterdir())
    arguments = ["--csv", str(shapes), "--bundle", "b", "--most", "1"]
    assert main([*arguments, str(replay)]) == 0
    after = sorted(path.name for path in (replay / "frames").iterdir())
    assert after == before[: len(after)]
    assert 0 < len(after) < len(before)
    with pytest.raises(DatasetError, match="holds other files; name a new folder"):
        write_replay(shapes.parent, [], Path("b"))
    assert (shapes.parent / "circle_00.jpg").exists()


def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--csv", str(tmp_path / "no.csv"), "--bundle", "b", str(tmp_path / "r")]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path / 'no.csv'}: cannot be read (No such file or directory)\n"
    )
