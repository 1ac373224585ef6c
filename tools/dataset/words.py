"""Spoken digits of the Free Spoken Digit Dataset, by index and checked by name."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import SOURCES, DatasetError, Folders
from tools.dataset.protocol import Split
from tools.dataset.wav import read_wav

_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")
_TEST = range(5)
_VALIDATION = range(5, 10)


@dataclass(frozen=True, slots=True)
class Word:
    """One recording of one digit.

    Attributes:
        clip: a number that identifies the recording over all splits.
        label: the digit said.
        speaker: who says it.
        samples: float32 [n] at 8 kHz.
    """

    clip: int
    label: int
    speaker: str
    samples: NDArray[np.float32]


def read_words(folders: Folders, split: Split, held_out: str | None = None) -> list[Word]:
    """Read the recordings of one split, ordered by name.

    Index 0–4 is the official test split, 5–9 (carved from its train split) is validation, the
    rest is train. With a speaker held out, all of that speaker is test and nothing else is.

    Raises:
        DatasetError: a recording is missing or damaged, or the speaker is unknown.
    """
    names = _names(folders)
    speakers = sorted({speaker for _, speaker, _ in names})
    if held_out is not None and held_out not in speakers:
        raise DatasetError(f"{folders.fsdd}: no speaker {held_out!r}; there are {speakers}")
    words = []
    for clip, (label, speaker, index) in enumerate(names):
        if _split_of(speaker, index, held_out) != split.removesuffix("_last"):
            continue
        path = folders.fsdd / f"{label}_{speaker}_{index}.wav"
        words.append(Word(clip, label, speaker, read_wav(path, SOURCES["fsdd"])))
    return words


def _split_of(speaker: str, index: int, held_out: str | None) -> str | None:
    if held_out is not None:
        if speaker == held_out:
            return "test"
        return "validation" if index in _VALIDATION else "train"
    if index in _TEST:
        return "test"
    return "validation" if index in _VALIDATION else "train"


def _names(folders: Folders) -> list[tuple[int, str, int]]:
    """Return label, speaker and index of every recording; every speaker has every digit."""
    found = set()
    for path in sorted(folders.fsdd.glob("*.wav")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise DatasetError(
                f"{path}: not named digit_speaker_index.wav; remove it or name it after what it is"
            )
        found.add((int(match[1]), match[2], int(match[3])))
    if not found:
        raise DatasetError(f"{folders.fsdd}: no wav files; put there {SOURCES['fsdd']}")
    for speaker in sorted({speaker for _, speaker, _ in found}):
        last = max(index for _, name, index in found if name == speaker)
        for label in range(10):
            for index in range(last + 1):
                if (label, speaker, index) not in found:
                    raise DatasetError(
                        f"{folders.fsdd}/{label}_{speaker}_{index}.wav: missing, though "
                        f"{speaker} has recordings up to {last}; put there {SOURCES['fsdd']}"
                    )
    return sorted(found)
