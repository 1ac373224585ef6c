"""Tiny stand-ins for the three data sets, in their own formats."""

import gzip
import hashlib
import struct
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import Folders
from tools.dataset.protocol import Split

TRAIN, TEST = 240, 40
SPEAKERS = ("anna", "ben")
INDICES = 12
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
NOISE_KINDS = ("rain", "dog_bark")


def write_sources(folder: Path) -> Folders:
    """Write 240 + 40 digits, 2 × 10 × 12 words and 2 × 4 × 4 noises."""
    mnist, fsdd, noise = folder / "mnist", folder / "fsdd", folder / "noise"
    for part in (mnist, fsdd, noise):
        part.mkdir()
    images = write_idx(mnist, "train", TRAIN, seed=0)
    write_idx(mnist, "t10k", TEST, seed=1)
    for label in range(10):
        for speaker, name in enumerate(SPEAKERS):
            for index in range(INDICES):
                write_wav(fsdd / f"{label}_{name}_{index}.wav", word(label, speaker, index))
    for kind, name in enumerate(NOISE_KINDS):
        for fold in range(1, 5):
            for source in range(4):
                random = np.random.default_rng((kind, fold, source))
                samples = random.normal(0, 0.1, 12000)
                write_wav(
                    noise / f"{fold}-{1000 * fold + 10 * kind + source}-A_{name}.wav", samples
                )
    return Folders(mnist, fsdd, noise, hashlib.md5(images, usedforsecurity=False).hexdigest())


def write_idx(folder: Path, stem: str, count: int, seed: int) -> bytes:
    """Write images, each a thick bar in a direction of its label, and labels; return the images."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    down, across = np.meshgrid(np.arange(28) - 13.5, np.arange(28) - 13.5, indexing="ij")
    images = np.zeros((count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        angle = np.pi * label / 10
        beside = np.abs(across * np.sin(angle) - down * np.cos(angle) + random.uniform(-1, 1))
        along = np.abs(across * np.cos(angle) + down * np.sin(angle))
        image[(beside < 2.0) & (along < 10.0)] = 255
    packed = struct.pack(">I3I", 0x803, count, 28, 28) + images.tobytes()
    with gzip.open(folder / f"{stem}-images-idx3-ubyte.gz", "wb") as file:
        file.write(packed)
    with gzip.open(folder / f"{stem}-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">2I", 0x801, count) + labels.tobytes())
    return packed


def word(label: int, speaker: int, index: int) -> NDArray[np.float64]:
    """A third of a second of a tone that tells the label, with its harmonics."""
    seconds = np.arange(2600) / 8000
    frequency_hz = 200.0 * (1.0 + 0.25 * label) * (1.0 + 0.1 * speaker + 0.001 * index)
    harmonics = np.array([[1], [2], [3]])
    tone = (np.sin(2 * np.pi * harmonics * frequency_hz * seconds) / harmonics).sum(axis=0)
    return np.asarray(0.3 * tone * np.hanning(len(seconds)) ** 0.25)


def write_wav(path: Path, samples: NDArray[np.float64], rate_hz: int = 8000) -> None:
    """Write 16-bit mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
