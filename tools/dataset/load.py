"""One split of one protocol, whole."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.dataset.cache import CACHE
from tools.dataset.folders import Folders
from tools.dataset.pairing import pair
from tools.dataset.pictures import Pictures, load_pictures
from tools.dataset.protocol import ProtocolName, Split
from tools.dataset.sounds import Sounds, load_sounds


@dataclass(frozen=True, slots=True)
class Dataset:
    """Pictures, sounds, and the sound of each picture, int64 [N], frozen by the seed."""

    pictures: Pictures
    sounds: Sounds
    pairs: NDArray[np.int64]


def load(
    protocol: ProtocolName,
    split: Split,
    folders: Folders,
    seed: int = 0,
    *,
    held_out: str | None = None,
    voices: bool = True,
    cache_folder: Path = CACHE,
    processes: int = 2,
) -> Dataset:
    """Make or read a split; see `load_pictures` and `load_sounds`.

    Raises:
        DatasetError: a file of the data sets is missing or damaged.
    """
    pictures = load_pictures(
        protocol, split, folders, seed, cache_folder=cache_folder, processes=processes
    )
    sounds = load_sounds(
        protocol,
        split,
        folders,
        seed,
        held_out=held_out,
        voices=voices,
        cache_folder=cache_folder,
        processes=processes,
    )
    return Dataset(pictures, sounds, pair(pictures.labels, sounds.labels, seed))
