"""Everyday noise of ESC-10, split by where it comes from."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import SOURCES, DatasetError, Folders
from tools.dataset.protocol import Split
from tools.dataset.wav import read_wav

# ESC-10's own names end in a word for the class, those of ESC-50 in a number.
_NAME = re.compile(r"(\d)-(\d+)-([A-Z])[_-]([a-z_]+|\d+)\.wav")
_FOLDS = (1, 2, 3, 4)
_TEST_FOLD = 4
_VALIDATION_EVERY = 6


def read_noise(folders: Folders, split: Split) -> list[NDArray[np.float32]]:
    """Read the noise of one split: float32 [n] each, ordered by name.

    Fold 4 is test. Of folds 1–3 every sixth source of each class is validation and the rest train;
    takes of one source stay together. A fifth fold, as published, is left out.

    Raises:
        DatasetError: there is none for the split, or a file is damaged.
    """
    paths = []
    names = []
    for path in sorted(folders.noise.glob("*.wav")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise DatasetError(f"{path}: not named fold-source-take-class.wav, as in ESC-50")
        if int(match[1]) in _FOLDS:
            paths.append(path)
            names.append((int(match[1]), match[2], match[4]))
    validation = _validation_sources(
        (source, kind) for fold, source, kind in names if fold != _TEST_FOLD
    )
    wanted = split.removesuffix("_last")
    chosen = []
    for path, (fold, source, _) in zip(paths, names, strict=True):
        if fold == _TEST_FOLD:
            belongs = "test"
        else:
            belongs = "validation" if source in validation else "train"
        if belongs == wanted:
            chosen.append(read_wav(path, SOURCES["noise"]))
    if not chosen:
        raise DatasetError(
            f"{folders.noise}: no noise for {split}; folds 1–4 are needed: {SOURCES['noise']}"
        )
    return chosen


def _validation_sources(names: Iterable[tuple[str, str]]) -> set[str]:
    """Return every sixth source of each class, from (source, class)."""
    by_class: dict[str, set[str]] = {}
    for source, kind in names:
        by_class.setdefault(kind, set()).add(source)
    return {
        source
        for sources in by_class.values()
        for source in sorted(sources)[_VALIDATION_EVERY // 2 :: _VALIDATION_EVERY]
    }
