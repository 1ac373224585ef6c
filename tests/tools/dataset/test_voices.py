import shutil
from pathlib import Path

import numpy as np
import pytest

from tools.dataset.folders import DatasetError
from tools.dataset.voices import HELD_OUT_VOICES, TRAIN_VOICES, read_voices, say

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng")


def test_held_out_voices_share_neither_accent_nor_variant_with_training() -> None:
    accents = {voice.split("+")[0] for voice in TRAIN_VOICES}
    variants = {voice.split("+")[1] for voice in TRAIN_VOICES}
    for voice in HELD_OUT_VOICES:
        accent, variant = voice.split("+")
        assert accent not in accents
        assert variant not in variants


def test_without_espeak_there_is_a_warning_and_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.warns(UserWarning, match="apt install espeak-ng"):
        assert read_voices(tmp_path) == []
    with pytest.raises(DatasetError, match="apt install espeak-ng"):
        say("one", "en-gb", words_per_minute=150, pitch=50)


@needs_espeak
def test_a_word_is_trimmed_and_loud() -> None:
    word = say("seven", HELD_OUT_VOICES[0], words_per_minute=150, pitch=50)
    assert word.dtype == np.float32
    assert 0.25 < len(word) / 8000 < 0.9
    assert np.abs(word).max() == pytest.approx(0.9, abs=1e-3)
    assert np.abs(word[0]) > 0.0
    slow = say("seven", HELD_OUT_VOICES[0], words_per_minute=100, pitch=50, rate_hz=16000)
    assert len(slow) > 2.2 * len(word)


@needs_espeak
def test_all_voices_exist() -> None:
    # For one that does not, espeak-ng falls back to another without a word.
    said = {
        voice: say("three", voice, words_per_minute=150, pitch=50).tobytes()
        for voice in (*TRAIN_VOICES, *HELD_OUT_VOICES, "en-us", "en-gb", "en-gb-x-rp")
    }
    assert len(set(said.values())) == len(said)


@needs_espeak
def test_nothing_said_is_an_error() -> None:
    with pytest.raises(DatasetError, match="said nothing"):
        say("", "en-gb", words_per_minute=150, pitch=50)


@needs_espeak
def test_every_voice_says_every_digit_twice(tmp_path: Path) -> None:
    voices = TRAIN_VOICES[:2]
    words = read_voices(tmp_path, voices=voices, processes=1)
    assert [word.label for word in words] == [*range(10)] * 4
    assert [word.speaker for word in words] == [voices[0]] * 20 + [voices[1]] * 20
    assert [word.clip for word in words] == list(range(1_000_000, 1_000_040))
    length_s = np.array([len(word.samples) for word in words]) / 8000
    assert length_s.min() > 0.1
    assert length_s.max() < 1.5
    again = read_voices(tmp_path, voices=voices, processes=1)
    for word, same in zip(words, again, strict=True):
        np.testing.assert_array_equal(word.samples, same.samples)
