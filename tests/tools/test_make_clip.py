import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.labels import load_labels
from edge_daemon.capture.pictures import VideoFile
from edge_daemon.demo import CLIP
from edge_daemon.features.image import ImageFeatures
from edge_daemon.features.spec import ImageSpec
from tools.make_clip import AUDIO_HZ, FRAMES_HZ, SHOWN_S, frames, length_s, main, script
from tools.sheet import Sheet, catmull_rom, draw

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng")
FEATURES = ImageFeatures(ImageSpec(28, 28))


def test_every_digit_has_its_turn() -> None:
    turns = script(seed=0)
    assert sorted(turn.label for turn in turns) == list(range(10))
    assert 20.0 < length_s(turns) < 24.0
    assert [turn.label for turn in script(seed=1)] != [turn.label for turn in turns]


@pytest.mark.parametrize("label", range(10))
def test_digits_are_one_drawing_to_the_features(label: int) -> None:
    sheet = Sheet(240, 180, seed=0)
    for time_s in (0.3, 7.7, 19.1):
        picture = FEATURES.picture(sheet.photograph(label, time_s))
        rows, columns = np.nonzero(picture > 64)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
        exact = draw(label, 200, np.random.default_rng((0, 3, label))) > 0.5
        drawn_rows, drawn_columns = np.nonzero(exact)
        proportion = (np.ptp(columns) + 1) / (np.ptp(rows) + 1)
        assert proportion == pytest.approx(
            (np.ptp(drawn_columns) + 1) / (np.ptp(drawn_rows) + 1), abs=0.15
        )


def test_an_empty_sheet_is_black_to_the_features() -> None:
    sheet = Sheet(240, 180, seed=0)
    for time_s in np.arange(0.0, 22.0, 1.1):
        assert not FEATURES.picture(sheet.photograph(None, float(time_s))).any()


def test_the_curve_passes_through_its_points() -> None:
    points = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0], [4.0, 4.0]])
    curve = catmull_rom(points, steps=8)
    np.testing.assert_allclose(curve[::8], points, atol=1e-12)
    straight = catmull_rom(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    np.testing.assert_allclose(straight[:, 0], straight[:, 1])


@needs_espeak
def test_a_clip_is_readable_and_the_same_each_time(tmp_path: Path) -> None:
    import soundfile

    for name in ("a", "b"):
        assert main([str(tmp_path / name), "--seed", "4"]) == 0
    for file in ("video.avi", "audio.flac", "labels.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    turns = script(seed=4)
    labels = load_labels(tmp_path / "a" / "labels.csv")
    drawn = frames(turns, seed=4)
    shown = list(VideoFile(tmp_path / "a" / "video.avi").play())
    assert len(shown) == len(drawn) == round(length_s(turns) * FRAMES_HZ)
    for (_, picture), exact in list(zip(shown, drawn, strict=True))[::30]:
        assert np.abs(picture.astype(int) - exact).mean() < 6
    sound, rate_hz = soundfile.read(tmp_path / "a" / "audio.flac")
    assert rate_hz == AUDIO_HZ
    assert len(sound) == round(length_s(turns) * AUDIO_HZ)
    level = np.abs(sound)
    for turn in turns:
        assert labels.at(round((turn.shown_s + 0.1) * 1e9)) == str(turn.label)
        assert labels.at(round((turn.blank_s + 0.1) * 1e9)) == ""
        before = level[round(turn.shown_s * AUDIO_HZ) : round((turn.shown_s + 0.4) * AUDIO_HZ)]
        word = level[
            round((turn.shown_s + 0.5) * AUDIO_HZ) : round((turn.shown_s + SHOWN_S) * AUDIO_HZ)
        ]
        assert word.max() > 4 * before.max()


def test_the_embedded_clip_is_complete_and_small() -> None:
    assert sum(path.stat().st_size for path in CLIP) < 1_000_000
    labels = load_labels(CLIP.labels)
    names = {labels.at(round(time_s * 1e9)) for time_s in np.arange(0.0, 22.4, 0.1)}
    assert names == {"", *"0123456789"}
    assert len(list(VideoFile(CLIP.video).play())) == round(length_s(script(0)) * FRAMES_HZ)


def test_without_espeak_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(tmp_path / "clip")]) == 1
    assert "apt install espeak-ng" in capsys.readouterr().err
