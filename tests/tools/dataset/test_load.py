import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.image import ImageFeatures
from edge_daemon.features.spectrogram import log_mel
from tests.tools.dataset.sources import TEST
from tools.dataset import (
    PROTOCOLS,
    Folders,
    ProtocolName,
    Split,
    load,
    load_pictures,
    load_sounds,
)
from tools.dataset.components import fit_components
from tools.dataset.mix import mix_word
from tools.dataset.mnist import read_mnist
from tools.dataset.noise import read_noise
from tools.dataset.photograph import photograph
from tools.dataset.protocol import image_specs
from tools.dataset.words import read_words
from tools.tiers import AUDIO_FULL

WRITTEN = 200  # 240 less two twelfths


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dataset_is_whole(protocol: ProtocolName, folders: Folders, tmp_path: Path) -> None:
    data = load(protocol, "test", folders, seed=3, cache_folder=tmp_path, processes=1)
    pictures, sounds = data.pictures, data.sounds
    assert pictures.images28.shape == (TEST, 28, 28)
    assert pictures.images14.shape == (TEST, 14, 14)
    np.testing.assert_array_equal(sounds.labels[data.pairs], pictures.labels)
    words = sounds.labels >= 0
    assert words.sum() == 100 * PROTOCOLS[protocol].mixes
    assert (~words).sum() == round(words.sum() * PROTOCOLS[protocol].wordless)
    assert sounds.columns.shape == (len(sounds.labels), 64, 40)
    np.testing.assert_array_equal(sounds.columns.any(axis=(1, 2)), sounds.found)
    test_clips = {word.clip for word in read_words(folders, "test")}
    assert set(sounds.clips[words]) == test_clips
    assert set(sounds.clips[~words]) <= {-1}
    if protocol == "clean":
        assert sounds.found.all()


def test_the_same_seed_gives_the_same_data_whatever_the_processes(
    folders: Folders, tmp_path: Path
) -> None:
    one = load("live", "test", folders, seed=1, cache_folder=tmp_path / "a", processes=1)
    two = load("live", "test", folders, seed=1, cache_folder=tmp_path / "b", processes=2)
    other = load("live", "test", folders, seed=2, cache_folder=tmp_path / "c", processes=1)
    np.testing.assert_array_equal(one.pictures.images28, two.pictures.images28)
    np.testing.assert_array_equal(one.sounds.columns, two.sounds.columns)
    np.testing.assert_array_equal(one.pairs, two.pairs)
    assert (one.pictures.images28 != other.pictures.images28).any()
    assert (one.pairs != other.pairs).any()


def test_sounds_are_what_the_daemon_would_compute(folders: Folders, tmp_path: Path) -> None:
    sounds = load_sounds("live", "test", folders, 5, cache_folder=tmp_path, processes=1)
    words, noises = read_words(folders, "test"), read_noise(folders, "test")
    for number in (0, 17, 230):
        random = np.random.default_rng((5, 1, number))
        word = words[number % len(words)]
        stream = mix_word(word.samples, noises, PROTOCOLS["live"], random)
        tensor, found = audio_tensor(log_mel(stream, AUDIO_FULL), AUDIO_FULL)
        np.testing.assert_allclose(sounds.columns[number], tensor[0, :, :, 0] * 255, atol=0.501)
        assert sounds.found[number] == found
        assert sounds.labels[number] == word.label
        assert sounds.clips[number] == word.clip


def test_pictures_are_what_the_daemon_would_compute(folders: Folders, tmp_path: Path) -> None:
    pictures = load_pictures("live", "test", folders, 5, cache_folder=tmp_path, processes=1)
    digits = read_mnist(folders, "test")
    large, small = (ImageFeatures(spec) for spec in image_specs(PROTOCOLS["live"]))
    for number in (0, 33):
        shot = photograph(digits.images[number], np.random.default_rng((5, 0, number)))
        np.testing.assert_allclose(
            pictures.images28[number] / 255, large(shot)[0, :, :, 0], atol=1e-6
        )
        np.testing.assert_allclose(
            pictures.images14[number] / 255, small(shot)[0, :, :, 0], atol=1e-6
        )


def test_live_train_has_several_photographs_and_drawn_digits(
    folders: Folders, tmp_path: Path
) -> None:
    pictures = load_pictures("live", "train", folders, cache_folder=tmp_path, processes=1)
    assert len(read_mnist(folders, "train").labels) == WRITTEN
    assert len(pictures.labels) == 3 * WRITTEN + round(0.15 * 3 * WRITTEN)
    first, second = pictures.images28[:WRITTEN], pictures.images28[WRITTEN : 2 * WRITTEN]
    np.testing.assert_array_equal(pictures.labels[:WRITTEN], pictures.labels[WRITTEN : 2 * WRITTEN])
    assert (first != second).any(axis=(1, 2)).mean() > 0.99
    assert np.bincount(pictures.labels[3 * WRITTEN :]).tolist() == [9] * 10


def test_components_are_fitted_on_train_alone(folders: Folders, tmp_path: Path) -> None:
    components = fit_components(read_mnist(folders, "train").images, 4)
    expected = components.keep(read_mnist(folders, "test").images)
    pictures = load_pictures("hard", "test", folders, cache_folder=tmp_path)
    np.testing.assert_array_equal(pictures.images28, expected)


def test_a_held_out_speaker_is_only_in_test(folders: Folders, tmp_path: Path) -> None:
    ben = {word.clip for word in read_words(folders, "test", "ben")}
    for split, expected in (("train", False), ("test", True)):
        sounds = load_sounds(
            "clean",
            "train" if split == "train" else "test",
            folders,
            held_out="ben",
            cache_folder=tmp_path,
            processes=1,
        )
        assert all((clip in ben) is expected for clip in sounds.clips)


@pytest.mark.skipif(shutil.which("espeak-ng") is not None, reason="espeak-ng is installed")
def test_without_espeak_train_goes_on(folders: Folders, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="apt install espeak-ng"):
        load_sounds("live", "train", folders, cache_folder=tmp_path, processes=1)


def test_without_voices_train_is_fsdd_alone(folders: Folders, tmp_path: Path) -> None:
    sounds = load_sounds("live", "train", folders, voices=False, cache_folder=tmp_path, processes=1)
    clips = {word.clip for word in read_words(folders, "train")}
    assert set(sounds.clips) == clips | {-1}


def test_voices_widen_train_alone_and_clean_words_only_when_asked(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # without espeak-ng: who asks for voices is warned

    def sounds(protocol: ProtocolName, split: Split, voices: bool | None) -> None:
        load_sounds(protocol, split, folders, voices=voices, cache_folder=tmp_path, processes=1)

    with pytest.warns(UserWarning, match="no synthetic voices in training"):
        sounds("clean", "train", True)
    with pytest.warns(UserWarning, match="no synthetic voices in training"):
        sounds("live", "train", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sounds("clean", "train", None)
        sounds("clean", "test", True)
        load("clean", "train", folders, voices=True, cache_folder=tmp_path, processes=1)
