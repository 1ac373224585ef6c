import numpy as np
import pytest

from edge_daemon.capture.blank import (
    Blank,
    black_picture,
    digital_silence,
    is_black,
    is_silent,
)
from edge_daemon.capture.source import Chunk, Frame

S = 1_000_000_000

BLACK = np.zeros((48, 64, 3), dtype=np.uint8)


def noisy(mean: float, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(mean, deviation, (480, 640, 3))
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8)


def with_patch(image: np.ndarray, value: int, side_px: int) -> np.ndarray:
    patched = image.copy()
    patched[100 : 100 + side_px, 200 : 200 + side_px] = value
    return patched


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (BLACK, True),
        (BLACK[:, :, 0].copy(), True),
        (noisy(16, 4), True),
        (noisy(2, 6), True),
        (with_patch(noisy(8, 2), 255, 30), True),  # hot pixels, a status lamp: 0.3 %
        (with_patch(noisy(8, 2), 255, 80), False),  # 2 %
        (with_patch(noisy(2, 1), 30, 80), False),  # a dim drawing on black
        (noisy(60, 2), False),
        (np.full((48, 64, 3), 255, dtype=np.uint8), False),
    ],
)
def test_black_is_dark_and_alike_nearly_everywhere(image: np.ndarray, expected: bool) -> None:
    assert is_black(image) is expected


def remarks(blank: Blank[Frame], shown: str) -> list[str | None]:
    """Show one picture a second: `#` a black one, `.` a bright one."""
    images = {"#": BLACK, ".": BLACK + 200}
    return [blank(Frame(images[kind], 0), second * S) for second, kind in enumerate(shown, start=1)]


def test_says_once_that_it_is_black_and_once_that_it_is_over() -> None:
    said = remarks(black_picture(3.0), "..########..####.")
    assert [text is not None for text in said] == [mark == "x" for mark in ".....x....x....xx"]
    assert said[5] is not None
    assert said[5].startswith("black picture for 3 s: look for a lens cap")
    assert said[10] == "black picture is over after 8 s"


def test_a_short_darkness_is_nothing_to_speak_of() -> None:
    assert not any(remarks(black_picture(3.0), "###.###.##.###."))


def test_what_was_said_before_a_loss_is_not_said_again() -> None:
    blank = black_picture(3.0)
    assert [text is not None for text in remarks(blank, "#####")].count(True) == 1
    assert blank(None, 999 * S) is None  # opened again
    assert blank(Frame(BLACK, 0), 1000 * S) is None
    assert blank(Frame(BLACK + 200, 0), 1001 * S) == "black picture is over after 1000 s"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.zeros(160), True),
        (np.full(160, -0.25), True),  # a converter that hangs
        (np.zeros(1), True),
        (np.where(np.arange(160) == 80, 2**-15, 0.0), False),  # one bit of 16
        (np.where(np.arange(160) == 80, 2**-23, 0.0), True),  # rounding, after resampling
    ],
)
def test_digital_silence_is_samples_that_are_all_equal(samples: np.ndarray, expected: bool) -> None:
    assert is_silent(samples.astype(np.float32)) is expected


def test_a_muted_microphone_is_reported_once_and_its_end() -> None:
    silence = digital_silence(2.0)
    noise = np.random.default_rng(0).normal(0, 1e-4, 160).astype(np.float32)
    said = []
    for step in range(400):  # 20 ms each
        samples = noise if step < 50 or step >= 300 else np.zeros(160, dtype=np.float32)
        text = silence(Chunk(samples, 0), step * S // 50)
        if text is not None:
            said.append((step, text))
    assert [step for step, _ in said] == [150, 300]
    assert said[0][1].startswith("digital silence for 2 s: look for a mute switch")
    assert "alsamixer" in said[0][1]
    assert said[1][1] == "digital silence is over after 5 s"
