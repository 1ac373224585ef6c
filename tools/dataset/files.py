"""A user's pictures and sounds, opened: as much of them as the features look at."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.image import ImageFeatures, centred, shrink, work_px
from edge_daemon.features.spec import ImageSpec
from tools.dataset.cache import Arrays, cached
from tools.dataset.folders import DatasetError
from tools.dataset.recording import Align, hear, surrounded
from tools.dataset.table import SOUNDS, Row, refuse
from tools.dataset.wav import RATE_HZ
from tools.tiers import AUDIO_FULL, IMAGE_14, IMAGE_28

WORK_PX = work_px((IMAGE_28, IMAGE_14))
LONGEST_S = 60.0

_VERSION = 1
"""Raised when the same files would be opened in another way."""

Item = TypeVar("Item")
Stamp = tuple[str, int, int]
"""Name, size in bytes and time of change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in the files of a table.

    Attributes:
        pictures: uint8 [side, side] each, grey, the central square, 96 to 191 pixels where the
            file had as many.
        recordings: float32 [n] each, −1 to 1, mono at 8 kHz.
    """

    pictures: list[NDArray[np.uint8]]
    recordings: list[NDArray[np.float32]]


def files_of(rows: Iterable[Row], column: Literal["image", "audio"]) -> list[Path]:
    """Return the files of a column, each once, in the order in which they first appear."""
    files = (row.image if column == "image" else row.audio for row in rows)
    return list(dict.fromkeys(file for file in files if file is not None))


def open_files(
    csv: Path, rows: Sequence[Row], spec: ImageSpec, align: Align, cache_folder: Path
) -> Opened:
    """Open every file of a table once, in the order of `files_of`, and keep what was in it.

    Args:
        csv: the table, for error texts.
        rows: its rows.
        spec: how pictures will be looked at; one that shows nothing then is refused.
        align: how recordings will be listened to; one in which nothing begins is refused.
        cache_folder: where what was read is kept until a file changes.

    Raises:
        DatasetError: files cannot be opened or are of no use; the text lists them all.
    """
    stamps = stamps_of([*files_of(rows, "image"), *files_of(rows, "audio")])
    parameters = {"version": _VERSION, "spec": str(spec), "align": align, "files": stamps}
    make = partial(_open, csv, rows, spec, align)
    return unpacked(cached(cache_folder, "files", parameters, parts=1, make=make))


def stamps_of(paths: Iterable[Path]) -> tuple[Stamp, ...]:
    """Return what tells that one of some files has changed."""
    states = ((path, path.stat()) for path in paths)
    return tuple((str(path), state.st_size, state.st_mtime_ns) for path, state in states)


def sounds_in(folder: Path) -> list[Path]:
    """Return the sounds of a folder and those below it, in order.

    Raises:
        DatasetError: there is none.
    """
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SOUNDS]
    if not found:
        raise DatasetError(f"{folder}: no sounds ({' '.join(sorted(SOUNDS))}); put noise there")
    return found


def _open(csv: Path, rows: Sequence[Row], spec: ImageSpec, align: Align, _: int) -> Arrays:
    features = ImageFeatures(spec)

    def picture(path: Path) -> NDArray[np.uint8]:
        found = read_picture(path)
        if spec.contrast == "ink" and not features.picture(found).any():
            raise DatasetError(
                f"{path}: no dark strokes on light paper inside the central square; draw them "
                "there, or see pictures as they are with --contrast none"
            )
        return found

    def recording(path: Path) -> NDArray[np.float32]:
        samples = read_recording(path)
        if hear(surrounded(samples, np.random.default_rng(0)), AUDIO_FULL, align).main() is None:
            raise DatasetError(
                f"{path}: the daemon's detector hears nothing begin in it; leave a moment of "
                "quiet before the sound, or remove the line"
            )
        return samples

    problems: list[str] = []
    pictures = _all(csv, rows, "image", picture, problems)
    recordings = _all(csv, rows, "audio", recording, problems)
    refuse(problems)
    return packed(Opened(pictures, recordings))


def _all(
    csv: Path,
    rows: Sequence[Row],
    column: Literal["image", "audio"],
    read: Callable[[Path], Item],
    problems: list[str],
) -> list[Item]:
    lines: dict[Path | None, int] = {}
    for row in rows:
        lines.setdefault(row.image if column == "image" else row.audio, row.line)
    found = []
    for path in files_of(rows, column):
        try:
            found.append(read(path))
        except DatasetError as error:
            problems.append(f"{csv}, line {lines[path]}, column {column}: {error}")
    return found


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read the central square of a picture, grey, uint8 [side, side], halved to a working size.

    The daemon's features make the same of it as of the whole picture.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        # Through bytes: OpenCV itself says nothing about why a file cannot be opened.
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except (OSError, cv2.error) as error:
        raise DatasetError(f"{path} cannot be read ({error}); mend or remove it") from error
    if image is None:
        raise DatasetError(
            f"{path} is not a picture that can be read; save it again as JPEG or PNG"
        )
    return np.ascontiguousarray(shrink(centred(np.asarray(image, dtype=np.uint8)), WORK_PX))


def read_recording(path: Path) -> NDArray[np.float32]:
    """Read a sound of any rate and any number of channels: float32 [n], mono at 8 kHz.

    Raises:
        DatasetError: it cannot be read, is silent or too long.
    """
    import soundfile
    import soxr

    try:
        with soundfile.SoundFile(path) as file:
            rate_hz, length_s = file.samplerate, file.frames / file.samplerate
            if length_s > LONGEST_S:
                raise DatasetError(
                    f"{path} lasts {length_s:.0f} s; cut it, at most {LONGEST_S:.0f} s are taken"
                )
            channels = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise DatasetError(
            f"{path} is not a sound that can be read; save it again as WAV or FLAC"
        ) from error
    mono = channels.mean(axis=1, dtype=np.float32)
    samples = np.asarray(soxr.resample(mono, rate_hz, RATE_HZ), dtype=np.float32)
    if not np.isfinite(samples).all() or not np.abs(samples).max(initial=0.0) > 0.0:
        raise DatasetError(f"{path} is silent; record it again or remove the line")
    return samples


def packed(opened: Opened) -> Arrays:
    """Return the same as four arrays, for the cache."""
    return {
        "sides": np.array([len(picture) for picture in opened.pictures], dtype=np.int32),
        "pixels": np.concatenate([picture.ravel() for picture in opened.pictures]),
        "lengths": np.array([len(some) for some in opened.recordings], dtype=np.int32),
        "samples": np.concatenate(opened.recordings),
    }


def unpacked(arrays: Arrays) -> Opened:
    """Return what `packed` was given."""
    sides = arrays["sides"].astype(np.int64)
    pixels = np.split(arrays["pixels"].astype(np.uint8, copy=False), np.cumsum(sides**2)[:-1])
    ends = np.cumsum(arrays["lengths"].astype(np.int64))[:-1]
    return Opened(
        [flat.reshape(side, side) for flat, side in zip(pixels, sides, strict=True)],
        np.split(arrays["samples"].astype(np.float32, copy=False), ends),
    )
