"""MNIST from its idx files, split without leaks."""

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import SOURCES, DatasetError, Folders
from tools.dataset.protocol import Split

_SPLIT_SEED = 20_000


@dataclass(frozen=True, slots=True)
class Digits:
    """Handwritten digits: images uint8 [N, 28, 28], bright on black, and labels uint8 [N]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def read_mnist(folders: Folders, split: Split) -> Digits:
    """Read one split.

    A twelfth of the train file is `validation_last` (5,000 of 60,000), another one, stratified
    by label and drawn from the rest with a fixed seed, is `validation`.

    Raises:
        DatasetError: a file is missing, damaged or not the canonical one.
    """
    if split == "test":
        return _read_pair(folders.mnist, "t10k", None)
    digits = _read_pair(folders.mnist, "train", folders.mnist_md5)
    chosen = split_indices(digits.labels)[split]
    return Digits(digits.images[chosen], digits.labels[chosen])


def split_indices(labels: NDArray[np.uint8]) -> dict[str, NDArray[np.int64]]:
    """Split the train file: `train`, `validation` and `validation_last`, sorted indices."""
    total = len(labels)
    twelfth = total // 12
    first = np.arange(total - twelfth)
    random = np.random.default_rng(_SPLIT_SEED)
    held = np.zeros(total, dtype=bool)
    for digit in range(10):
        members = first[labels[first] == digit]
        held[random.permutation(members)[: round(len(members) * twelfth / len(first))]] = True
    return {
        "train": first[~held[first]],
        "validation": np.flatnonzero(held),
        "validation_last": np.arange(total - twelfth, total),
    }


def _read_pair(folder: Path, stem: str, md5: str | None) -> Digits:
    images = read_idx(folder, f"{stem}-images-idx3-ubyte", md5)
    labels = read_idx(folder, f"{stem}-labels-idx1-ubyte")
    if len(images) != len(labels):
        raise DatasetError(
            f"{folder}: {len(images)} {stem} images but {len(labels)} labels; "
            f"fetch both anew: {SOURCES['mnist']}"
        )
    if labels.size and labels.max() > 9:
        raise DatasetError(f"{folder}/{stem}-labels-idx1-ubyte: label {labels.max()} is no digit")
    return Digits(images, labels)


def read_idx(folder: Path, name: str, md5: str | None = None) -> NDArray[np.uint8]:
    """Read an idx file of bytes, packed or not.

    Args:
        folder: where it lies, as `name.gz` or `name`.
        name: without the suffix.
        md5: of the unpacked file, where it is known.

    Raises:
        DatasetError: it is missing, damaged or another file.
    """
    packed = folder / f"{name}.gz"
    path = packed if packed.exists() else folder / name
    remedy = f"fetch it anew: {SOURCES['mnist']}"
    try:
        data = gzip.decompress(path.read_bytes()) if path == packed else path.read_bytes()
    except FileNotFoundError:
        raise DatasetError(f"{packed}: missing; put it there: {SOURCES['mnist']}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: cannot be unpacked ({error}); {remedy}") from error
    if md5 is not None and (found := hashlib.md5(data, usedforsecurity=False).hexdigest()) != md5:
        raise DatasetError(f"{path}: MD5 is {found}, not {md5}; {remedy}")
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise DatasetError(f"{path}: not an idx file of bytes; {remedy}")
    dimensions = data[3]
    if len(data) < 4 + 4 * dimensions:
        raise DatasetError(f"{path}: cut off in its header; {remedy}")
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    values = np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * dimensions)
    if values.size != int(np.prod(shape)):
        raise DatasetError(f"{path}: {values.size} values where {shape} was promised; {remedy}")
    return values.reshape(shape)
