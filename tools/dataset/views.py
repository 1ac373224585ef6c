"""Views of a user's files: other photographs of a picture, other moments and rooms of a sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.image import ImageFeatures
from edge_daemon.features.spec import AudioSpec, ImageSpec
from tools.dataset.cache import Arrays, cached
from tools.dataset.files import Opened, Stamp, open_files, read_recording, stamps_of
from tools.dataset.recording import Align, hear, surrounded
from tools.dataset.room import in_room
from tools.dataset.snapshot import snapshot
from tools.dataset.table import Row
from tools.dataset.wav import RATE_HZ

_VERSION = 1
"""Raised when the same files would give other views."""

_PART = 500
_PICTURES, _SOUNDS = range(2)
"""Which random numbers: those of the sounds do not depend on the pictures."""

_PARTLY = 0.3
"""Share of the views at whose moment the sound still goes on."""

_SNR_DB = (0.0, 20.0)
_LONGEST = 3 * RATE_HZ
"""Samples of a longer recording that one view listens to."""


@dataclass(frozen=True, slots=True)
class Source:
    """What views are made from; a process opens the files itself.

    Attributes:
        csv: the table.
        rows: all of its rows.
        specs: of the larger and of the smaller picture.
        audio: of the sounds' tensor.
        align: what tells where a sound begins.
        noise: sounds that are mixed into others.
        stamps: of all these files, so that one that has changed is opened again.
        seed: of all views.
        cache_folder: where what is made is kept.
    """

    csv: Path
    rows: tuple[Row, ...]
    specs: tuple[ImageSpec, ImageSpec]
    audio: AudioSpec
    align: Align
    noise: tuple[Path, ...]
    stamps: tuple[Stamp, ...]
    seed: int
    cache_folder: Path


@cache
def opened(source: Source) -> Opened:
    """Return what is in the files of the table."""
    return open_files(source.csv, source.rows, source.specs[0], source.align, source.cache_folder)


def picture_views(
    source: Source, files: Sequence[int], paths: Sequence[Path], views: int, processes: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Make or read the views of some pictures: all first views, then all second ones, and so on.

    Args:
        source: the table.
        files: places of the pictures among those of the table.
        paths: their files.
        views: of each; the first one is the picture as it is.
        processes: how many make them.

    Returns:
        uint8 [views · files, 28, 28] and uint8 [views · files, 14, 14].
    """
    parameters = {
        "version": _VERSION,
        "specs": str(source.specs),
        "files": stamps_of(paths),
        "views": views,
        "seed": source.seed,
    }
    total = len(files) * views
    arrays = cached(
        source.cache_folder,
        "folder-pictures",
        parameters,
        parts=-(-total // _PART),
        make=partial(_make_pictures, source, tuple(files), total),
        processes=processes,
    )
    images_28, images_14 = arrays["images28"], arrays["images14"]
    return images_28.astype(np.uint8, copy=False), images_14.astype(np.uint8, copy=False)


def _make_pictures(source: Source, files: tuple[int, ...], total: int, part: int) -> Arrays:
    large, small = (ImageFeatures(spec) for spec in source.specs)
    pictures = opened(source).pictures
    first, last = part * _PART, min((part + 1) * _PART, total)
    images_28 = np.empty((last - first, 28, 28), dtype=np.uint8)
    images_14 = np.empty((last - first, 14, 14), dtype=np.uint8)
    for row, number in enumerate(range(first, last)):
        picture = pictures[files[number % len(files)]]
        if number >= len(files):
            # Seeded by number, so that neither parts nor processes change what comes out.
            picture = snapshot(picture, np.random.default_rng((source.seed, _PICTURES, number)))
        images_28[row], images_14[row] = large.picture(picture), small.picture(picture)
    return {"images28": images_28, "images14": images_14}


def sound_views(
    source: Source,
    files: Sequence[int],
    paths: Sequence[Path],
    views: int,
    alone: int,
    processes: int,
) -> NDArray[np.uint8]:
    """Make or read the views of some recordings, in the order of `picture_views`.

    Args:
        source: the table.
        files: places of the recordings among those of the table.
        paths: their files.
        views: of each; the first one is the recording as it is, as soon as all of its main sound
            that the tensor takes has been heard.
        alone: sounds of noise alone that follow them; 0 where there is no noise.
        processes: how many make them.

    Returns:
        uint8 [views · files + alone, columns, bands]; all 0 where nothing is heard to begin.
    """
    parameters = {
        "version": _VERSION,
        "spec": str(source.audio),
        "align": source.align,
        "files": stamps_of(paths),
        "views": views,
        "alone": alone,
        "noise": stamps_of(source.noise),
        "seed": source.seed,
    }
    total = len(files) * views + alone
    arrays = cached(
        source.cache_folder,
        "folder-sounds",
        parameters,
        parts=-(-total // _PART),
        make=partial(_make_sounds, source, tuple(files), len(files) * views, total),
        processes=processes,
    )
    return arrays["columns"].astype(np.uint8, copy=False)


def _make_sounds(
    source: Source, files: tuple[int, ...], said: int, total: int, part: int
) -> Arrays:
    recordings, noises = opened(source).recordings, _noises(source)
    columns = []
    for number in range(part * _PART, min((part + 1) * _PART, total)):
        random = np.random.default_rng((source.seed, _SOUNDS, number))
        if number < len(files):
            heard = hear(surrounded(recordings[files[number]], random), source.audio, source.align)
            columns.append(heard.tensor(heard.main()))
        elif number < said:
            recording = recordings[files[number % len(files)]]
            heard = hear(_varied(recording, noises, random), source.audio, source.align)
            columns.append(heard.tensor(heard.draw(_PARTLY, random)))
        else:
            noise = noises[int(random.integers(len(noises)))]
            heard = hear(_segment(noise, 2 * RATE_HZ, random), source.audio, "onset")
            columns.append(heard.tensor(heard.draw(_PARTLY, random)))
    return {"columns": np.stack(columns)}


def _varied(
    recording: NDArray[np.float32],
    noises: Sequence[NDArray[np.float32]],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Return a recording in another room, with quiet around it and, where there is, noise."""
    if len(recording) > _LONGEST:
        recording = _segment(recording, _LONGEST, random)
    stream = surrounded(in_room(recording, random), random)
    if noises:
        noise = _segment(noises[int(random.integers(len(noises)))], len(stream), random)
        snr_db = random.uniform(*_SNR_DB)
        power = _power(recording) / max(_power(noise), 1e-12) * 10.0 ** (-snr_db / 10.0)
        stream = stream + noise * np.float32(np.sqrt(power))
    return stream


def _segment(
    samples: NDArray[np.float32], count: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Cut `count` samples out of a sound, which starts again where it ends."""
    most = max(1, len(samples) - count + 1)
    offset = int(random.integers(most if most > 1 else len(samples)))
    return np.take(samples, np.arange(offset, offset + count), mode="wrap")


@cache
def _noises(source: Source) -> list[NDArray[np.float32]]:
    return [read_recording(path) for path in source.noise]


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))
