"""One split of one protocol, whole."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.spec import AudioSpec, ImageSpec
from edge_daemon.tier import Tier
from tools.dataset.cache import CACHE
from tools.dataset.folders import Folders
from tools.dataset.pairing import pair
from tools.dataset.pictures import Pictures, load_pictures
from tools.dataset.protocol import PROTOCOLS, ProtocolName, Split, image_specs
from tools.dataset.sounds import Sounds, load_sounds
from tools.tiers import AUDIO_FULL, IMAGE_14, IMAGE_28, LABELS


@dataclass(frozen=True, slots=True)
class Dataset:
    """Pictures and sounds, and what they mean: all that training and a manifest need to know.

    Attributes:
        pictures: a pool of N.
        sounds: a pool of M, the tensors of `AUDIO_FULL`.
        pairs: int64 [N], the sound of each picture, frozen by the seed.
        labels: what the numbers in the pools stand for, in their order.
        image_28: how the larger pictures were made.
        image_14: how the smaller ones were made.
    """

    pictures: Pictures
    sounds: Sounds
    pairs: NDArray[np.int64]
    labels: tuple[str, ...] = LABELS
    image_28: ImageSpec = IMAGE_28
    image_14: ImageSpec = IMAGE_14

    def image_spec(self, tier: Tier) -> ImageSpec:
        """Return how the pictures that a tier sees were made."""
        return self.image_14 if tier is Tier.CRITICAL else self.image_28


def load(
    protocol: ProtocolName,
    split: Split,
    folders: Folders,
    seed: int = 0,
    *,
    held_out: str | None = None,
    voices: bool = True,
    spec: AudioSpec = AUDIO_FULL,
    cache_folder: Path = CACHE,
    processes: int = 2,
) -> Dataset:
    """Make or read a split; see `load_pictures` and `load_sounds`.

    Synthetic voices widen train where the protocol is heard in rooms, unless `voices` is False.

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
        voices=None if voices else False,
        spec=spec,
        cache_folder=cache_folder,
        processes=processes,
    )
    pairs = pair(pictures.labels, sounds.labels, seed)
    image_28, image_14 = image_specs(PROTOCOLS[protocol])
    return Dataset(pictures, sounds, pairs, LABELS, image_28, image_14)
