import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_daemon.features.onset import find_onset
from edge_daemon.features.spectrogram import log_mel
from tests.features.test_spectrogram import SPEC


def spoken(
    start_s: float, length_s: float, *, noise_db: float = -60.0, seed: int = 0
) -> NDArray[np.float32]:
    """A second of noise with a vowel-like sound: 150 Hz and its harmonics, 0.3 peak."""
    seconds = np.arange(8000) / 8000
    harmonics = np.arange(1, 12)[:, None]
    sound = (np.sin(2 * np.pi * 150 * harmonics * seconds) / harmonics).sum(axis=0)
    sound *= 0.15 * ((seconds >= start_s) & (seconds < start_s + length_s))
    hiss = np.random.default_rng(seed).normal(0, 10 ** (noise_db / 20), 8000)
    return log_mel((sound + hiss).astype(np.float32), SPEC)


def expected_column(start_s: float) -> float:
    """The first window whose latter half has the sound."""
    return (start_s * 8000 - 128) / 80


@pytest.mark.parametrize("noise_db", [-80.0, -60.0, -40.0, -25.0])
@pytest.mark.parametrize("start_s", [0.15, 0.37, 0.6, 0.85])
def test_finds_a_sound_within_30_ms(start_s: float, noise_db: float) -> None:
    onset = find_onset(spoken(start_s, 0.4, noise_db=noise_db))
    assert onset is not None
    assert abs(onset - expected_column(start_s)) <= 3


@pytest.mark.parametrize("bands", [(0, 32), (0, 24), (0, 20), (4, 40), (8, 36)])
@pytest.mark.parametrize("start_s", [0.15, 0.4, 0.8])
def test_finds_a_sound_in_the_bands_that_are_kept(bands: tuple[int, int], start_s: float) -> None:
    columns = np.ascontiguousarray(spoken(start_s, 0.4)[:, slice(*bands)])
    onset = find_onset(columns)
    assert onset is not None
    assert abs(onset - expected_column(start_s)) <= 3


def test_a_sound_outside_the_kept_bands_is_not_heard() -> None:
    seconds = np.arange(8000) / 8000
    tone = 0.3 * np.sin(2 * np.pi * 500 * seconds) * (seconds >= 0.4) * np.hanning(8000)
    hiss = np.random.default_rng(0).normal(0, 1e-2, 8000)
    columns = log_mel((tone + hiss).astype(np.float32), SPEC)
    assert find_onset(columns) is not None
    assert find_onset(np.ascontiguousarray(columns[:, 24:])) is None


def test_steady_noise_has_no_onset_at_any_level() -> None:
    for seed in range(50):
        hiss = np.random.default_rng(seed).normal(0, 10 ** (-seed / 15), 8000)
        assert find_onset(log_mel(hiss.astype(np.float32), SPEC)) is None


def test_a_steady_tone_has_no_onset() -> None:
    seconds = np.arange(8000) / 8000
    hum = 0.3 * np.sin(2 * np.pi * 100 * seconds) + np.random.default_rng(0).normal(0, 1e-3, 8000)
    assert find_onset(log_mel(hum.astype(np.float32), SPEC)) is None


def test_a_word_is_found_under_a_louder_hum() -> None:
    # 12 dB louder than the word, in one band only.
    seconds = np.arange(8000) / 8000
    hum = (0.9 * np.sin(2 * np.pi * 100 * seconds)).astype(np.float32)
    hiss = np.random.default_rng(0).normal(0, 1e-3, 8000).astype(np.float32)
    formant = np.sin(2 * np.pi * 900 * seconds) + np.sin(2 * np.pi * 1800 * seconds)
    word = (0.1 * formant * ((seconds > 0.5) & (seconds < 0.8))).astype(np.float32)
    onset = find_onset(log_mel(hum + hiss + word, SPEC))
    assert onset is not None
    assert abs(onset - expected_column(0.5)) <= 3


def test_of_two_sounds_the_newest_is_taken() -> None:
    both = np.maximum(spoken(0.15, 0.2), spoken(0.6, 0.3))
    onset = find_onset(both)
    assert onset is not None
    assert abs(onset - expected_column(0.6)) <= 3


def test_a_short_stop_within_a_word_is_no_new_sound() -> None:
    both = np.maximum(spoken(0.3, 0.25), spoken(0.59, 0.2))
    onset = find_onset(both)
    assert onset is not None
    assert abs(onset - expected_column(0.3)) <= 3


def test_the_end_of_a_sound_is_no_onset() -> None:
    assert find_onset(spoken(0.0, 0.4)) is None


def test_the_level_of_everything_does_not_matter() -> None:
    columns = spoken(0.4, 0.3, noise_db=-40.0)
    assert find_onset(columns) == find_onset(columns - np.float32(20.0))


@pytest.mark.parametrize("count", [0, 1, 7])
def test_too_few_columns_and_silence_have_none(count: int) -> None:
    assert find_onset(np.zeros((count, 40), dtype=np.float32)) is None
    assert find_onset(np.full((100, 40), -100.0, dtype=np.float32)) is None


@given(
    count=st.integers(0, 120),
    bands=st.integers(1, 41),
    seed=st.integers(0, 1000),
    spread_db=st.floats(0.0, 60.0),
)
def test_any_columns_give_a_column_or_none(
    count: int, bands: int, seed: int, spread_db: float
) -> None:
    random = np.random.default_rng(seed)
    columns = random.uniform(-60.0 - spread_db, -60.0 + spread_db, (count, bands))
    onset = find_onset(columns.astype(np.float32))
    assert onset is None or 0 <= onset < count
