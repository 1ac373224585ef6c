from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from edge_daemon.features.image import ImageFeatures
from edge_daemon.features.spec import ImageSpec
from tests.tools.dataset.tables import write_table
from tools.dataset.files import Opened, open_files, packed, read_picture, read_recording, unpacked
from tools.dataset.folders import DatasetError
from tools.dataset.table import read_table
from tools.make_shapes import draw, play

INK, NONE = ImageSpec(28, 28), ImageSpec(28, 28, contrast="none", fit="frame")


def noisy(height: int, width: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(height * width)
    small = random.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.uint8)


@pytest.mark.parametrize("size", [(480, 640), (97, 131), (20, 33), (1081, 800)])
@pytest.mark.parametrize("spec", [INK, NONE, ImageSpec(14, 14)])
def test_the_features_make_the_same_of_what_is_kept(
    size: tuple[int, int], spec: ImageSpec, tmp_path: Path
) -> None:
    image = noisy(*size)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    kept = read_picture(tmp_path / "a.png")
    assert kept.shape[0] == kept.shape[1] < 192
    features = ImageFeatures(spec)
    np.testing.assert_array_equal(features.picture(kept), features.picture(image))


@pytest.mark.parametrize("mode", ["grey", "alpha", "16 bit"])
def test_pictures_of_any_kind_are_read(mode: str, tmp_path: Path) -> None:
    grey = np.full((40, 50), 200, np.uint8)
    images: dict[str, NDArray[np.integer]] = {
        "grey": grey,
        "alpha": np.dstack([grey, grey, grey, np.full_like(grey, 255)]),
        "16 bit": grey.astype(np.uint16) * 256,
    }
    cv2.imwrite(str(tmp_path / "ä.png"), images[mode])
    assert read_picture(tmp_path / "ä.png").mean() == pytest.approx(200, abs=1)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 44100, 48000])
@pytest.mark.parametrize(("channels", "ending"), [(1, "wav"), (2, "flac"), (2, "ogg")])
def test_sounds_of_any_rate_become_mono_at_8_khz(
    rate_hz: int, channels: int, ending: str, tmp_path: Path
) -> None:
    time_s = np.arange(rate_hz) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * 440.0 * time_s)
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, np.stack([tone] * channels, 1), rate_hz)
    samples = read_recording(path)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(8000, abs=2)
    expected = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(8000) / 8000)
    assert np.abs(samples[1000:7000] - expected[1000:7000]).max() < 0.02


def test_what_is_above_half_the_rate_is_gone(tmp_path: Path) -> None:
    """Against scipy's polyphase filter: noise loses its upper half and keeps the lower."""
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000)
    soundfile.write(tmp_path / "a.wav", noise, 48_000, subtype="FLOAT")
    ours, theirs = read_recording(tmp_path / "a.wav"), resample_poly(noise, 1, 6)
    assert np.mean(ours**2) == pytest.approx(np.mean(theirs**2), rel=0.1)
    assert np.corrcoef(ours[100:-100], theirs[100:-100])[0, 1] > 0.97


def test_channels_are_averaged(tmp_path: Path) -> None:
    tone = 0.4 * np.sin(np.arange(8000) * 0.3)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, 0 * tone], 1), 8000)
    assert np.abs(read_recording(tmp_path / "a.wav") - tone / 2).max() < 1e-3


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(4000), "is silent; record it again"),
        (np.zeros(0), "is silent"),
        (np.full(4000, np.nan), "is silent"),
        (np.ones(8000 * 61) * 0.1, "lasts 61 s; cut it, at most 60 s"),
    ],
)
def test_sounds_of_no_use_are_refused(
    samples: NDArray[np.float64], words: str, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(DatasetError, match=r"a\.wav") as caught:
        read_recording(tmp_path / "a.wav")
    assert words in str(caught.value)


def shapes_table(folder: Path) -> Path:
    random = np.random.default_rng(0)
    rows = []
    for label in ("circle", "square"):
        cv2.imwrite(str(folder / f"{label}.png"), draw(label, random))
        soundfile.write(folder / f"{label}.wav", play(label, random), 16_000)
        rows.append((f"{label}.png", f"{label}.wav", label))
    return write_table(folder / "data.csv", rows)


def test_all_files_that_are_of_no_use_are_named_at_once(tmp_path: Path) -> None:
    path = shapes_table(tmp_path)
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.wav").write_text("not a sound")
    cv2.imwrite(str(tmp_path / "blank.png"), draw(None, np.random.default_rng(0)))
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 8000)
    rows = [("torn.jpg", "text.wav"), ("empty.png", "silent.wav"), ("blank.png", "")]
    with path.open("a") as file:
        file.writelines(f"{image},{audio},circle\n" for image, audio in rows)
    table = read_table(path)
    with pytest.raises(DatasetError) as caught:
        open_files(path, table, INK, "onset", tmp_path / "cache")
    found = str(caught.value).splitlines()
    expected = [
        ("line 4, column image", "torn.jpg is not a picture that can be read"),
        ("line 5, column image", "empty.png is not a picture that can be read"),
        ("line 6, column image", "blank.png: no dark strokes on light paper"),
        ("line 4, column audio", "text.wav is not a sound that can be read"),
        ("line 5, column audio", "silent.wav is silent"),
    ]
    assert len(found) == len(expected)
    for text, words in zip(found, expected, strict=True):
        assert text.startswith(str(path))
        assert all(word in text for word in words)
    # A blank sheet is a picture like any other where ink is not looked for.
    with pytest.raises(DatasetError) as caught:
        open_files(path, table, NONE, "onset", tmp_path / "cache")
    assert "blank.png" not in str(caught.value)


def test_files_are_opened_again_only_when_they_change(tmp_path: Path) -> None:
    path = shapes_table(tmp_path)
    table, cache = read_table(path), tmp_path / "cache"
    first = open_files(path, table, INK, "onset", cache)
    made = sorted(cache.glob("*.npz"))
    again = open_files(path, table, INK, "onset", cache)
    assert sorted(cache.glob("*.npz")) == made
    np.testing.assert_array_equal(first.pictures[1], again.pictures[1])
    np.testing.assert_array_equal(first.recordings[0], again.recordings[0])
    other = draw("circle", np.random.default_rng(7))
    cv2.imwrite(str(tmp_path / "square.png"), other)
    changed = open_files(path, table, INK, "onset", cache)
    assert (changed.pictures[1] != first.pictures[1]).any()
    np.testing.assert_array_equal(changed.pictures[0], first.pictures[0])


def test_what_is_packed_comes_back() -> None:
    pictures = [np.full((side, side), side, np.uint8) for side in (20, 96, 191)]
    recordings = [np.arange(count, dtype=np.float32) for count in (1, 800)]
    back = unpacked(packed(Opened(pictures, recordings)))
    for before, after in zip(pictures, back.pictures, strict=True):
        np.testing.assert_array_equal(before, after)
    for sent, received in zip(recordings, back.recordings, strict=True):
        np.testing.assert_array_equal(sent, received)
