"""The pool of pictures: each the tensor that the daemon would compute."""

from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.image import ImageFeatures
from tools.dataset.cache import CACHE, Arrays, cached
from tools.dataset.components import fit_components
from tools.dataset.drawn import draw_digit
from tools.dataset.folders import Folders
from tools.dataset.mnist import Digits, read_mnist
from tools.dataset.photograph import photograph
from tools.dataset.protocol import PROTOCOLS, Protocol, ProtocolName, Split, image_specs

_VERSION = 4
"""Raised when the same parameters would give other pictures."""

_PART = 2500
_DRAWN = 0.15
"""Drawn digits among the train photographs, as a share of the written ones."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """A pool of pictures.

    Attributes:
        images28: uint8 [N, 28, 28], the tensor · 255.
        images14: uint8 [N, 14, 14], of the same photographs.
        labels: uint8 [N].
    """

    images28: NDArray[np.uint8]
    images14: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def load_pictures(
    protocol: ProtocolName,
    split: Split,
    folders: Folders,
    seed: int = 0,
    *,
    cache_folder: Path = CACHE,
    processes: int = 2,
) -> Pictures:
    """Make or read the pictures of one split.

    Drawn digits are in `live` train alone; validation and test are MNIST's.

    Args:
        protocol: which.
        split: which.
        folders: the data sets.
        seed: of all photographs.
        cache_folder: where the result is kept.
        processes: how many make it.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    rules = PROTOCOLS[protocol]
    source = _Source(folders, rules, split)
    written = len(_digits(source).labels)
    total = written
    if rules.photographed and split == "train":
        total = written * rules.photographs + round(written * rules.photographs * _DRAWN)
    parameters = {
        "version": _VERSION,
        "protocol": asdict(rules),
        "split": split,
        "seed": seed,
        "written": written,
        "specs": str(image_specs(rules)),
        "folders": str(folders),
    }
    arrays = cached(
        cache_folder,
        f"pictures-{protocol}-{split}",
        parameters,
        parts=-(-total // _PART),
        make=partial(_make, source, total, seed),
        # Without photographs there is little to do.
        processes=processes if rules.photographed else 1,
    )
    return Pictures(
        images28=arrays["images28"].astype(np.uint8, copy=False),
        images14=arrays["images14"].astype(np.uint8, copy=False),
        labels=arrays["labels"].astype(np.uint8, copy=False),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """What a process needs to read the digits itself."""

    folders: Folders
    protocol: Protocol
    split: Split


@cache
def _digits(source: _Source) -> Digits:
    digits = read_mnist(source.folders, source.split)
    if source.protocol.components is None:
        return digits
    train = digits if source.split == "train" else read_mnist(source.folders, "train")
    components = fit_components(train.images, source.protocol.components)
    return Digits(components.keep(digits.images), digits.labels)


def _make(source: _Source, total: int, seed: int, part: int) -> Arrays:
    cv2.setNumThreads(1)
    digits = _digits(source)
    large, small = (ImageFeatures(spec) for spec in image_specs(source.protocol))
    first, last = part * _PART, min((part + 1) * _PART, total)
    images28 = np.empty((last - first, 28, 28), dtype=np.uint8)
    images14 = np.empty((last - first, 14, 14), dtype=np.uint8)
    labels = np.empty(last - first, dtype=np.uint8)
    written = len(digits.labels)
    photographs = source.protocol.photographs if source.split == "train" else 1
    for row, number in enumerate(range(first, last)):
        # Seeded by number, so that neither parts nor processes change what comes out.
        random = np.random.default_rng((seed, 0, number))
        if number < written * photographs:
            digit, labels[row] = digits.images[number % written], digits.labels[number % written]
        else:
            labels[row] = number % 10
            digit = draw_digit(int(labels[row]), random)
        picture = photograph(digit, random) if source.protocol.photographed else digit
        images28[row], images14[row] = large.picture(picture), small.picture(picture)
    return {"images28": images28, "images14": images14, "labels": labels}
