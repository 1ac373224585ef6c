import numpy as np
import pytest

from edge_daemon.features.change import cells, picture_change
from tools.dataset.folders import Folders
from tools.dataset.stream import SIDE_PX, Material, hold, read_material, say, turns
from tools.dataset.wav import RATE_HZ
from tools.dataset.words import Word

PERIOD_S = 0.1


@pytest.fixture(scope="module")
def material(folders: Folders) -> Material:
    return read_material(folders)


def sheet() -> np.ndarray:
    paper = np.full((112, 112), 190, np.uint8)
    paper[30:80, 50:60] = 60
    return paper


def test_a_turn_shows_one_digit_and_says_the_same(material: Material) -> None:
    labels = {word.clip: word.label for word in material.words}
    seen = list(turns(material, 30, PERIOD_S, seed=1))
    for turn in seen:
        assert labels[turn.clip] == turn.label
        windows = len(turn.pictures)
        assert 10 <= windows <= 30
        assert turn.pictures.shape == (windows, SIDE_PX, SIDE_PX)
        assert turn.pictures.dtype == np.uint8
        assert turn.samples.shape == (windows * RATE_HZ // 10,)
        assert turn.samples.dtype == np.float32
        assert 0.0 < np.abs(turn.samples).max() <= 1.0
    assert len({turn.clip for turn in seen}) == 30  # none comes again before all came


def test_the_same_seed_gives_the_same_stream_and_another_one_another(material: Material) -> None:
    first, again, other = (list(turns(material, 3, PERIOD_S, seed)) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.pictures, two.pictures)
        np.testing.assert_array_equal(one.samples, two.samples)
    assert [turn.clip for turn in first] != [turn.clip for turn in other]


def test_what_is_held_changes_a_little_from_picture_to_picture() -> None:
    for seed in range(10):
        pictures = hold(sheet(), 20, PERIOD_S, np.random.default_rng(seed))
        small = [cells(picture) for picture in pictures]
        changes = [picture_change(small[0], later) for later in small[1:]]
        assert 0.0 < max(changes) < 0.4
        assert not np.array_equal(pictures[0], pictures[1])
        # It is still the same sheet: dark where the stroke is, light elsewhere.
        assert all(picture[60, 62] < 110 < picture[20, 20] for picture in pictures)


def test_a_word_is_said_once_at_its_level() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 500 * np.arange(2400) / RATE_HZ).astype(np.float32)
    hiss = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
    for seed in range(10):
        samples = say(Word(0, 1, "anna", tone), [hiss], 16_000, np.random.default_rng(seed))
        power = np.square(samples, dtype=np.float64)
        # Noise alone follows the word and its echo, and came before it.
        alone = power[-4000:].mean()
        loudest = max(power[at : at + 800].mean() for at in range(0, 12_000, 400))
        assert 10.0 * np.log10(loudest / alone) < 15.0 + 10.0
        assert power[:800].mean() == pytest.approx(alone, rel=0.3)


def test_a_word_that_does_not_fit_is_cut_off() -> None:
    tone = np.full(8000, 0.5, np.float32)
    quiet = [np.zeros(8000, np.float32)]
    samples = say(Word(0, 1, "anna", tone), quiet, 900, np.random.default_rng(0))
    assert samples.shape == (900,)
    assert np.isfinite(samples).all()
