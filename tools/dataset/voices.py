"""Synthetic words by espeak-ng, in many voices, to widen what the five speakers of FSDD teach."""

import shutil
import subprocess
import tempfile
import warnings
import wave
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.dataset.cache import Arrays, cached
from tools.dataset.folders import DatasetError
from tools.dataset.wav import RATE_HZ
from tools.dataset.words import Word

NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

TRAIN_VOICES = tuple(
    f"{accent}+{variant}"
    for accent in ("en-us", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
    for variant in (
        *("m1", "m2", "m3", "m4", "m5", "m6", "m8", "adam", "croak"),
        *("f1", "f2", "f3", "f4", "linda"),
    )
)
"""All distinct: espeak-ng 1.51 has no variants of `en-gb`, and its `en-us-nyc` is `en-us`."""

HELD_OUT_VOICES = ("en-gb-x-rp+m7", "en-gb-x-rp+f5")
"""An accent and variants that training never hears: for the demo and for tests."""

_FIRST_CLIP = 1_000_000
"""Numbers of synthetic recordings begin here, above those of real ones."""

_TAKES = 2
_VERSION = 1


def read_voices(
    cache_folder: Path,
    seed: int = 0,
    *,
    voices: tuple[str, ...] = TRAIN_VOICES,
    processes: int = 2,
) -> list[Word]:
    """Return every digit by every voice, twice, at different speed and pitch.

    Without espeak-ng there is a warning and there are no words: training goes on with FSDD alone.
    """
    if shutil.which("espeak-ng") is None:
        warnings.warn(
            "espeak-ng is not installed: no synthetic voices in training; "
            "install it with `apt install espeak-ng`",
            stacklevel=2,
        )
        return []
    arrays = cached(
        cache_folder,
        "voices",
        {"version": _VERSION, "voices": voices, "takes": _TAKES, "seed": seed},
        parts=len(voices),
        make=partial(_make, seed, voices),
        processes=processes,
    )
    ends = np.cumsum(arrays["lengths"].astype(np.int64))
    pieces = np.split(arrays["samples"].astype(np.float32), ends[:-1])
    labels = arrays["labels"].astype(np.int64)
    voice = np.arange(len(labels)) // (_TAKES * len(NUMERALS))
    return [
        Word(_FIRST_CLIP + number, int(labels[number]), voices[voice[number]], piece)
        for number, piece in enumerate(pieces)
    ]


def say(
    text: str, voice: str, *, words_per_minute: int, pitch: int, rate_hz: int = RATE_HZ
) -> NDArray[np.float32]:
    """Let espeak-ng say a text.

    Args:
        text: in English.
        voice: an accent and, after a plus, a variant. espeak-ng takes its default for unknown
            ones, without a word.
        words_per_minute: 80 to 450.
        pitch: 0 to 99.
        rate_hz: of the result.

    Returns:
        float32 [n], mono, the loudest sample 0.9, silence trimmed.

    Raises:
        DatasetError: espeak-ng is missing or fails.
    """
    import soxr

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-p", str(pitch)]
        try:
            subprocess.run(
                [*command, "-w", str(path), text], check=True, capture_output=True, timeout=30.0
            )
        except FileNotFoundError:
            raise DatasetError("espeak-ng: not found; `apt install espeak-ng`") from None
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise DatasetError(f"espeak-ng -v {voice}: {error}") from error
        with wave.open(str(path), "rb") as file:
            own_hz = file.getframerate()
            data = file.readframes(file.getnframes())
    samples = np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768.0)
    if not samples.any():
        raise DatasetError(f"espeak-ng -v {voice}: said nothing for {text!r}")
    samples = soxr.resample(samples, own_hz, rate_hz).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    trimmed = samples[loud[0] : loud[-1] + 1]
    return trimmed * np.float32(0.9 / np.abs(trimmed).max())


def _make(seed: int, voices: tuple[str, ...], part: int) -> Arrays:
    random = np.random.default_rng((seed, 2, part))
    words = []
    for _ in range(_TAKES):
        for numeral in NUMERALS:
            speed, pitch = int(random.integers(110, 200)), int(random.integers(20, 80))
            words.append(say(numeral, voices[part], words_per_minute=speed, pitch=pitch))
    return {
        "samples": np.concatenate(words),
        "lengths": np.array([len(word) for word in words], dtype=np.int64),
        "labels": np.tile(np.arange(10, dtype=np.int64), _TAKES),
    }
