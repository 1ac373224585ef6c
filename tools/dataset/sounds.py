"""The pool of sounds: each the tensor that the daemon would compute."""

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.audio import audio_tensor, cut_tensor
from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import log_mel
from tools.dataset.cache import CACHE, Arrays, cached
from tools.dataset.folders import Folders
from tools.dataset.mix import mix_noise, mix_word
from tools.dataset.noise import read_noise
from tools.dataset.protocol import PROTOCOLS, Protocol, ProtocolName, Split
from tools.dataset.voices import TRAIN_VOICES, read_voices
from tools.dataset.words import Word, read_words
from tools.tiers import AUDIO_FULL

_VERSION = 2
"""Raised when the same parameters would give other sounds: mixing, features or detector."""

_PART = 1000


@dataclass(frozen=True, slots=True)
class Sounds:
    """A pool of sounds.

    Attributes:
        columns: uint8 [M, 64, kept bands]: the full audio tensor · 255.
        labels: int8 [M]: the digit said, −1 where none is.
        clips: int32 [M]: the recording, −1 where no word is said.
        found: bool [M]: whether an onset was found; where not, columns are 0.
    """

    columns: NDArray[np.uint8]
    labels: NDArray[np.int8]
    clips: NDArray[np.int32]
    found: NDArray[np.bool_]


def load_sounds(
    protocol: ProtocolName,
    split: Split,
    folders: Folders,
    seed: int = 0,
    *,
    held_out: str | None = None,
    voices: bool | None = None,
    spec: AudioSpec = AUDIO_FULL,
    cache_folder: Path = CACHE,
    processes: int = 2,
) -> Sounds:
    """Make or read the sounds of one split.

    Args:
        protocol: which.
        split: which; `validation_last` has the sounds of `validation`.
        folders: the data sets.
        seed: of all mixes.
        held_out: a speaker who is left out of train and validation, and is all of test.
        voices: whether synthetic voices widen train; None: where the protocol is heard in rooms.
        spec: the tensor; fewer bands give another loudest value and perhaps another onset, so
            that they are not a part of the tensor with all.
        cache_folder: where the result is kept.
        processes: how many make it.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    rules = PROTOCOLS[protocol]
    voices = split == "train" and (rules.room if voices is None else voices)
    source = _Source(folders, rules, split, held_out, spec, cache_folder if voices else None)
    words = len(_words(source))
    total = words * rules.mixes
    total += round(total * rules.wordless)
    parameters = {
        "version": _VERSION,
        "heard": rules.heard,
        "split": split,
        "seed": seed,
        "held_out": held_out,
        "words": words,
        "voices": TRAIN_VOICES if voices else (),
        "spec": str(spec),
        "folders": str(folders),
    }
    arrays = cached(
        cache_folder,
        f"sounds-{split}",
        parameters,
        parts=-(-total // _PART),
        make=partial(_make, source, total, seed),
        processes=processes,
    )
    return Sounds(
        columns=arrays["columns"].astype(np.uint8, copy=False),
        labels=arrays["labels"].astype(np.int8, copy=False),
        clips=arrays["clips"].astype(np.int32, copy=False),
        found=arrays["found"].astype(np.bool_, copy=False),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """What a process needs to read the recordings itself; `voices` is their cache folder."""

    folders: Folders
    protocol: Protocol
    split: Split
    held_out: str | None
    spec: AudioSpec
    voices: Path | None


@cache
def _words(source: _Source) -> list[Word]:
    words = read_words(source.folders, source.split, source.held_out)
    return words if source.voices is None else words + read_voices(source.voices)


@cache
def _noises(source: _Source) -> list[NDArray[np.float32]]:
    if source.protocol.snr_db is None:
        return []
    return read_noise(source.folders, source.split)


def _make(source: _Source, total: int, seed: int, part: int) -> Arrays:
    words, noises, protocol = _words(source), _noises(source), source.protocol
    first, last = part * _PART, min((part + 1) * _PART, total)
    spec = source.spec
    columns = np.zeros((last - first, spec.columns, spec.kept_bands), dtype=np.uint8)
    labels = np.full(last - first, -1, dtype=np.int8)
    clips = np.full(last - first, -1, dtype=np.int32)
    found = np.zeros(last - first, dtype=np.bool_)
    for row, number in enumerate(range(first, last)):
        # Seeded by number, so that neither parts nor processes change what comes out.
        random = np.random.default_rng((seed, 1, number))
        if number < len(words) * protocol.mixes:
            word = words[number % len(words)]
            labels[row], clips[row] = word.label, word.clip
            stream = mix_word(word.samples, noises, protocol, random)
        else:
            stream = mix_noise(noises, protocol, random)
        decibels = log_mel(stream, spec)
        if protocol.aligned:
            tensor, found[row] = cut_tensor(decibels, spec.lead, spec), True
        else:
            tensor, found[row] = audio_tensor(decibels, spec)
        columns[row] = np.rint(tensor[0, :, :, 0] * 255.0)
    return {"columns": columns, "labels": labels, "clips": clips, "found": found}
