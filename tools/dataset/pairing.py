"""Which sound goes with which picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import DatasetError


def pair(
    picture_labels: NDArray[np.uint8],
    sound_labels: NDArray[np.int8],
    seed: int | Sequence[int],
    wordless: float = 0.0,
) -> NDArray[np.int64]:
    """Draw a sound of the same label for every picture.

    Each label's sounds are gone through in random order before any comes again, so all are used
    as evenly as can be.

    Args:
        picture_labels: uint8 [N].
        sound_labels: int8 [M]; −1 means that no word is said.
        seed: of the drawing; the same seed gives the same pairs.
        wordless: share of the pictures that get a sound without a word instead.

    Returns:
        int64 [N], indices of sounds.

    Raises:
        DatasetError: a label has pictures but no sounds.
    """
    random = np.random.default_rng(seed)
    pairs = np.empty(len(picture_labels), dtype=np.int64)
    for label in np.unique(picture_labels):
        at = np.flatnonzero(picture_labels == label)
        pairs[at] = _deal(np.flatnonzero(sound_labels == label), len(at), random, f"label {label}")
    silent = np.flatnonzero(random.random(len(pairs)) < wordless)
    if len(silent):
        pairs[silent] = _deal(np.flatnonzero(sound_labels < 0), len(silent), random, "noise alone")
    return pairs


def _deal(
    sounds: NDArray[np.int64], count: int, random: np.random.Generator, what: str
) -> NDArray[np.int64]:
    if not len(sounds):
        raise DatasetError(f"no sound for {what}: the recordings of this split lack it")
    rounds = -(-count // len(sounds))
    return np.concatenate([random.permutation(sounds) for _ in range(rounds)])[:count]
