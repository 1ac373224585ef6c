import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_daemon.config.keys import ReuseConfig
from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.change import cells, picture_change, sound_change
from edge_daemon.features.spectrogram import log_mel
from tests.features.test_onset import spoken
from tests.features.test_spectrogram import SPEC

SHIPPED_PICTURE, SHIPPED_SOUND = ReuseConfig().picture, ReuseConfig().sound


def paper(side: int = 128, grey: int = 180) -> NDArray[np.uint8]:
    return np.full((side, side), grey, np.uint8)


def change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
    return picture_change(cells(before), cells(now))


def test_one_cell_is_measured_on_its_own() -> None:
    now = paper()
    now[64:72, 32:40] -= 51  # exactly one cell of 8×8
    assert change(paper(), now) == pytest.approx(51 / 255)
    now[64:68, 32:40] += 51  # half of it again
    assert change(paper(), now) == pytest.approx(25.5 / 255, abs=0.51 / 255)  # grey is whole


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0])
def test_the_noise_of_a_sensor_is_no_change(sigma: float) -> None:
    for seed in range(30):
        noise = np.random.default_rng(seed).normal(0, sigma, (2, 128, 128))
        before, now = (paper() + noise).round().astype(np.uint8)
        assert change(before, now) < SHIPPED_PICTURE


def test_a_stroke_that_is_added_is_a_change_wherever_it_lies() -> None:
    for top in range(20, 100, 3):
        drawn = paper()
        drawn[top : top + 5, 50:62] = 60
        assert change(paper(), drawn) > 2 * SHIPPED_PICTURE
        assert np.abs(drawn.astype(float) - paper()).mean() / 255 < SHIPPED_PICTURE / 4


def test_another_size_and_the_opposite_are_all_the_change_there_is() -> None:
    assert change(paper(), paper(256 + 128)) == 1.0
    assert change(paper(grey=0), paper(grey=255)) == 1.0


def test_a_picture_in_colour_is_compared_by_its_grey() -> None:
    colour = np.repeat(paper()[..., None], 3, axis=2)
    assert change(paper(), colour) == 0.0


@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    seed=st.integers(0, 100),
)
def test_any_two_pictures_differ_by_a_share(height: int, width: int, seed: int) -> None:
    before, now = np.random.default_rng(seed).integers(0, 256, (2, height, width), np.uint8)
    assert min(height, width, 12) <= min(cells(now).shape) <= 23
    found = change(before, now)
    assert 0.0 <= found <= 1.0
    assert found == change(now, before)
    assert change(now, now) == 0.0


def test_a_sound_differs_by_the_mean_over_its_most_different_column() -> None:
    nothing = np.zeros((1, 64, 40, 1), np.float32)
    sound = nothing.copy()
    sound[0, 9, :10] = 0.5
    sound[0, 12, :20] = 0.3
    assert sound_change(nothing, sound) == pytest.approx(0.3 / 2)
    assert sound_change(sound, nothing) == pytest.approx(0.3 / 2)
    assert sound_change(nothing, nothing + 1.0) == pytest.approx(1.0)
    assert sound_change(sound, sound.copy()) == 0.0


def test_a_sound_that_is_over_is_the_same_wherever_it_lies() -> None:
    samples = np.zeros(16_000, np.float32)
    samples[4000:6400] = 0.3 * np.sin(2 * np.pi * 500 * np.arange(2400) / 8000)
    columns = log_mel(samples, SPEC)
    early, found = audio_tensor(columns[20:120], SPEC)
    late, found_again = audio_tensor(columns[40:140], SPEC)
    assert found and found_again
    assert sound_change(early, late) < SHIPPED_SOUND


def test_more_of_a_word_is_a_change() -> None:
    columns = spoken(0.4, 0.5)
    for heard in range(50, 95, 10):
        before, _ = audio_tensor(columns[:heard], SPEC)
        now, _ = audio_tensor(columns[: heard + 10], SPEC)
        assert sound_change(before, now) > SHIPPED_SOUND
