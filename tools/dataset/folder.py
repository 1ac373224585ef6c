"""A user's own files as a data set: a table of pictures, sounds and labels of any kind.

    image,audio,label
    cups/one.jpg,cups/one.wav,cup
    bells/one.jpg,bells/ring.flac,bell
    ,bells/again.flac,bell

A line is a pair. Where a cell is empty, that modality is absent: a black picture, or silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.spec import AudioSpec, ImageSpec
from tools.dataset.cache import CACHE
from tools.dataset.files import files_of, sounds_in, stamps_of
from tools.dataset.load import Dataset
from tools.dataset.parts import assign_parts
from tools.dataset.pictures import Pictures
from tools.dataset.recording import Align
from tools.dataset.sounds import Sounds
from tools.dataset.table import Part, Row, labels_of, read_table
from tools.dataset.views import Source, opened, picture_views, sound_views
from tools.tiers import AUDIO_FULL

SAMPLES = 6000
MOST_VIEWS = 100

ALONE = 0.1
"""Noise alone among the sounds of a part, as a share of the others; none in test."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A user's table, and how its files are to be seen and heard.

    Attributes:
        csv: the table.
        contrast: `none` takes pictures as they are; `ink` is for dark strokes on light paper.
        fit: with contrast `ink`: `ink` centres the drawing, `frame` takes the whole picture.
        align: whether the daemon's detector looks for the sounds' beginnings, or clips begin
            with them.
        noise: a folder of sounds that are no label's, mixed into training; None for none.
        samples: pictures, and sounds, to train with, each file counted with all its views; a
            tenth of that validates.
        seed: of the split and of all views.
    """

    csv: Path
    contrast: Literal["none", "ink"] = "none"
    fit: Literal["frame", "ink"] = "ink"
    align: Align = "onset"
    noise: Path | None = None
    samples: int = SAMPLES
    seed: int = 0

    def image_spec(self, side: int) -> ImageSpec:
        """Return how a picture of `side` × `side` pixels is made."""
        fit = self.fit if self.contrast == "ink" else "frame"
        return ImageSpec(side, side, contrast=self.contrast, fit=fit)


def load_folder(
    folder: Folder,
    part: Part,
    spec: AudioSpec = AUDIO_FULL,
    *,
    cache_folder: Path = CACHE,
    processes: int = 2,
) -> Dataset:
    """Make or read one part of a user's data.

    Of train and validation, files have several views, so many that a few are enough to train
    with; of test, each is taken as it is. Every row is a picture, black where it has none; a row
    without a sound is paired with silence.

    Args:
        folder: table and options.
        part: which.
        spec: of the sounds' tensor.
        cache_folder: where what is made is kept.
        processes: how many make it.

    Raises:
        DatasetError: something is wrong with the table or its files; all of it is listed.
    """
    rows = read_table(folder.csv)
    parts = assign_parts(rows, folder.csv, folder.seed)
    specs = folder.image_spec(28), folder.image_spec(14)
    noises = () if folder.noise is None else tuple(sounds_in(folder.noise))
    files = [*files_of(rows, "image"), *files_of(rows, "audio"), *noises]
    source = Source(
        csv=folder.csv,
        rows=tuple(rows),
        specs=specs,
        audio=spec,
        align=folder.align,
        noise=noises,
        stamps=stamps_of(files),
        seed=folder.seed,
        cache_folder=cache_folder,
    )
    opened(source)  # before any process starts, so that they find it in the cache
    chosen = [row for row, its in zip(rows, parts, strict=True) if its == part]
    labels = labels_of(rows)
    wanted = {"train": folder.samples, "validation": folder.samples // 10, "test": 1}[part]
    pictures = _pictures(source, chosen, labels, wanted, processes)
    alone = ALONE if noises and part != "test" else 0.0
    sounds, pairs = _sounds(source, chosen, labels, wanted, alone, processes)
    return Dataset(pictures, sounds, pairs, labels, *specs)


def views_of(files: int, wanted: int) -> int:
    """Return how many views of each file make a part as large as is wanted."""
    return max(1, min(MOST_VIEWS, -(-wanted // max(files, 1))))


def _pictures(
    source: Source, rows: Sequence[Row], labels: Sequence[str], wanted: int, processes: int
) -> Pictures:
    """Return every view of every row's picture."""
    views = views_of(len(rows), wanted)
    paths = files_of(rows, "image")
    files = _places(files_of(source.rows, "image"), paths)
    images_28, images_14 = picture_views(source, files, paths, views, processes)
    place = {path: at for at, path in enumerate(paths)}
    at = np.array([-1 if row.image is None else place[row.image] for row in rows])
    taken = np.concatenate([at + view * len(paths) for view in range(views)])
    absent = np.tile(at < 0, views)
    numbers = np.array([labels.index(row.label) for row in rows], dtype=np.uint8)
    return Pictures(
        _taken(images_28, taken, absent), _taken(images_14, taken, absent), np.tile(numbers, views)
    )


def _taken(
    images: NDArray[np.uint8], taken: NDArray[np.int64], absent: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the images at some places, black where they are absent."""
    found = np.zeros((len(taken), *images.shape[1:]), dtype=np.uint8)
    found[~absent] = images[taken[~absent]]
    return found


def _sounds(
    source: Source,
    rows: Sequence[Row],
    labels: Sequence[str],
    wanted: int,
    alone: float,
    processes: int,
) -> tuple[Sounds, NDArray[np.int64]]:
    """Return every view of every recording, noise, silences; and the sound of each row's view.

    There is one silence in which nobody says anything, and one for each label of which there is
    no recording here, so that its pictures have something to be paired with.
    """
    paths = files_of(rows, "audio")
    files = _places(files_of(source.rows, "audio"), paths)
    views = views_of(len(paths), wanted)
    said = len(paths) * views
    noises = round(alone * said)
    columns = sound_views(source, files, paths, views, noises, processes)
    label_of = {row.audio: labels.index(row.label) for row in rows if row.audio is not None}
    numbers = [label_of[path] for path in paths]
    unheard = sorted({labels.index(row.label) for row in rows} - set(numbers))
    silences = [-1, *unheard]
    place = {path: at for at, path in enumerate(paths)}
    pairs = [
        said + noises if row.audio is None else place[row.audio] + len(paths) * (view % views)
        for view in range(views_of(len(rows), wanted))
        for row in rows
    ]
    silent = np.zeros((len(silences), *columns.shape[1:]), np.uint8)
    columns = np.concatenate([columns, silent])
    sounds = Sounds(
        columns=columns,
        labels=np.array([*numbers * views, *[-1] * noises, *silences], dtype=np.int8),
        clips=np.array([*files * views, *[-1] * (noises + len(silences))], dtype=np.int32),
        found=np.asarray(columns.any(axis=(1, 2))),
    )
    return sounds, np.array(pairs, dtype=np.int64)


def _places(all_paths: Sequence[Path], paths: Sequence[Path]) -> list[int]:
    place = {path: at for at, path in enumerate(all_paths)}
    return [place[path] for path in paths]
