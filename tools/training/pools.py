"""The pools of pictures and sounds, from which pairs are drawn a round at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tools.dataset import Dataset, pair
from tools.training.augment import vary_spectrograms, warp_pictures
from tools.training.batch import Batch
from tools.training.losses import NOTHING
from tools.training.samples import Samples, joined, samples, tensors

SHIFT = 3
"""Columns by which the onset may be early or late."""

ABSENT = 0.03
"""Share of a batch whose picture is taken away, and again of that whose sound is."""

WORDLESS = 0.05
"""Share of the pictures that get a sound in which nobody says a label, where there are any."""


@dataclass(frozen=True)
class Drawn:
    """Which pairs a batch is made of.

    Attributes:
        pictures: int64 [N], rows of the pool of pictures.
        sounds: int64 [N], rows of the pool of sounds.
    """

    pictures: Tensor
    sounds: Tensor

    def parts(self, size: int) -> Iterator["Drawn"]:
        """Yield `size` pairs at a time, but for a last incomplete batch."""
        for first in range(0, len(self.pictures) - size + 1, size):
            rows = slice(first, first + size)
            yield Drawn(self.pictures[rows], self.sounds[rows])


@dataclass(frozen=True)
class Pools:
    """All pictures and all sounds of one or more data sets, unpaired.

    Attributes:
        images28: pictures of 28 × 28 pixels.
        images14: the same ones with 14 × 14.
        sounds: spectrograms.
        shown: uint8 [pictures]: the label of each picture, even where nothing was found in it.
        said: int8 [sounds]: the label of each sound, even where no onset was found; −1 where
            nobody says one.
    """

    images28: Samples
    images14: Samples
    sounds: Samples
    shown: NDArray[np.uint8]
    said: NDArray[np.int8]

    def draw(self, count: int, *seed: int) -> Drawn:
        """Draw pictures, all before any comes again, and for each a sound of the same label."""
        random = np.random.default_rng(seed)
        passes = -(-count // len(self.shown))
        pictures = np.concatenate([random.permutation(len(self.shown)) for _ in range(passes)])
        wordless = WORDLESS if (self.said < 0).any() else 0.0
        sounds = pair(self.shown[pictures[:count]], self.said, (*seed, 1), wordless)
        return Drawn(torch.from_numpy(pictures[:count]), torch.from_numpy(sounds))

    def batch(self, drawn: Drawn) -> Batch:
        """Return the pairs as they are."""
        return Batch(
            tensors(self.images28.inputs[drawn.pictures]),
            tensors(self.images14.inputs[drawn.pictures]),
            tensors(self.sounds.inputs[drawn.sounds]),
            self.images28.labels[drawn.pictures],
            self.sounds.labels[drawn.sounds],
        )


def pools(datasets: Sequence[Dataset]) -> Pools:
    """Return the pools of one or more data sets together."""
    pictures = [dataset.pictures for dataset in datasets]
    sounds = [dataset.sounds for dataset in datasets]
    return Pools(
        joined(*(samples(some.images28, some.labels) for some in pictures)),
        joined(*(samples(some.images14, some.labels) for some in pictures)),
        joined(*(samples(some.columns, some.labels) for some in sounds)),
        np.concatenate([some.labels for some in pictures]),
        np.concatenate([some.labels for some in sounds]),
    )


def varied(batch: Batch, warp: bool, generator: torch.Generator) -> Batch:
    """Augment a batch, and take the picture or the sound away from some of its pairs.

    Args:
        batch: the pairs as they are.
        warp: whether pictures are turned, sheared and scaled, both sizes of one alike.
        generator: the source of all random numbers.
    """
    images28, images14 = batch.images28, batch.images14
    if warp:
        alike = torch.Generator().manual_seed(int(torch.randint(2**31, (), generator=generator)))
        state = alike.get_state()
        images28 = warp_pictures(images28, alike)
        alike.set_state(state)
        images14 = warp_pictures(images14, alike)
    sounds = vary_spectrograms(batch.sounds, SHIFT, generator)
    blind, deaf = (torch.rand(len(batch), generator=generator) < ABSENT for _ in range(2))
    sight, hearing = ((~some).float()[:, None, None, None] for some in (blind, deaf))
    return Batch(
        images28 * sight,
        images14 * sight,
        sounds * hearing,
        torch.where(blind, NOTHING, batch.seen),
        torch.where(deaf, NOTHING, batch.heard),
    )
