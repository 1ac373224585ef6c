"""Pictures and sound of the `live` test protocol as they follow each other in time.

A digit on paper is held before the camera for a while and said once; then comes the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import Folders
from tools.dataset.mnist import read_mnist
from tools.dataset.noise import read_noise
from tools.dataset.photograph import photograph
from tools.dataset.protocol import PROTOCOLS
from tools.dataset.room import in_room
from tools.dataset.wav import RATE_HZ
from tools.dataset.words import Word, read_words

SIDE_PX = 128
"""Side of the pictures: what the camera's thread makes of a common camera's."""

HELD_S = (1.0, 3.0)
SAID_S = (0.1, 0.5)
"""When a word begins, after its digit appears."""

SHAKE_PX = (0.0, 1.0)
"""How far a held sheet sways, in pixels of `SIDE_PX`."""
DRIFT = (0.0, 0.08)
"""How much the light changes while a digit is held, as a share of it."""
NOISE = (0.5, 4.0)
"""Standard deviation of the sensor's noise, in grey levels of 255, new in each picture."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One digit while it is shown.

    Attributes:
        label: the digit.
        clip: the recording in which it is said.
        pictures: uint8 [windows, side, side], one for each window.
        samples: float32 [windows · samples a window] at 8 kHz: the sound meanwhile.
    """

    label: int
    clip: int
    pictures: NDArray[np.uint8]
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Material:
    """Digits, words and noise to make turns of."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    words: list[Word]
    noises: list[NDArray[np.float32]]


def read_material(folders: Folders) -> Material:
    """Read the test split.

    Raises:
        DatasetError: a file of the data sets is missing or damaged.
    """
    digits = read_mnist(folders, "test")
    words = read_words(folders, "test")
    return Material(digits.images, digits.labels, words, read_noise(folders, "test"))


def turns(material: Material, count: int, period_s: float, seed: int) -> Iterator[Turn]:
    """Yield turns one after the other; all words come before any comes again.

    Args:
        material: what they are made of.
        count: how many.
        period_s: from one window to the next.
        seed: of everything; the same seed gives the same stream.
    """
    order = np.random.default_rng((seed, 0)).permutation(len(material.words))
    by_label = [np.flatnonzero(material.labels == label) for label in range(10)]
    for number in range(count):
        random = np.random.default_rng((seed, 1, number))
        word = material.words[order[number % len(order)]]
        digit = material.images[random.choice(by_label[word.label])]
        windows = round(random.uniform(*HELD_S) / period_s)
        yield Turn(
            label=word.label,
            clip=word.clip,
            pictures=hold(photograph(digit, random), windows, period_s, random),
            samples=say(word, material.noises, round(windows * period_s * RATE_HZ), random),
        )


def hold(
    photo: NDArray[np.uint8], windows: int, period_s: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Hold a photograph before the camera: it sways, the light drifts, the sensor is noisy.

    Args:
        photo: uint8 [side, side].
        windows: how many pictures.
        period_s: from one to the next.
        random: the source of all choices.

    Returns:
        uint8 [windows, 128, 128].
    """
    paper = cv2.resize(photo, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    sway_px, sway_hz = random.uniform(*SHAKE_PX), random.uniform(0.3, 1.5, 2)
    phase = random.uniform(0.0, 2.0 * np.pi, 2)
    drift = random.uniform(*DRIFT) * random.choice((-1.0, 1.0))
    sigma = np.float32(random.uniform(*NOISE))
    pictures = np.empty((windows, SIDE_PX, SIDE_PX), dtype=np.uint8)
    for window in range(windows):
        across, down = sway_px * np.sin(2.0 * np.pi * sway_hz * window * period_s + phase)
        shift = np.array([[1.0, 0.0, across], [0.0, 1.0, down]])
        moved: NDArray[np.float32] = cv2.warpAffine(  # type: ignore[assignment]
            paper, shift, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE
        )
        moved *= np.float32(1.0 + drift * window / windows)
        moved += random.standard_normal(moved.shape, dtype=np.float32) * sigma
        pictures[window] = np.clip(np.rint(moved), 0.0, 255.0)
    return pictures


def say(
    word: Word, noises: list[NDArray[np.float32]], count: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Say a word once in a room with noise, as loud against it as in `live`.

    Args:
        word: what is said; what does not fit any more is cut off.
        noises: float32 [n] each, one of which goes on throughout.
        count: samples wanted.
        random: the source of all choices.

    Returns:
        float32 [count] at 8 kHz, −1 to 1.
    """
    said = in_room(word.samples, random)
    start = round(random.uniform(*SAID_S) * RATE_HZ)
    said = said[: max(0, count - start)]
    noise = noises[int(random.integers(len(noises)))]
    offset = int(random.integers(len(noise)))
    samples = np.take(noise, np.arange(offset, offset + count), mode="wrap")
    over = _power(samples[start : start + len(said)])
    low_db, high_db = PROTOCOLS["live"].snr_db or (np.inf, np.inf)
    snr_db = random.uniform(low_db, high_db)
    wanted = _power(said) / 10.0 ** (snr_db / 10.0)
    # Where the noise pauses just then, it is not made deafening elsewhere.
    over = max(over, 0.05 * _power(samples), 1e-10)
    samples = samples * np.float32(np.sqrt(wanted / over))
    samples[start : start + len(said)] += said
    level = 10.0 ** (random.uniform(-32.0, 0.0) / 20.0)
    samples *= np.float32(level / max(float(np.abs(samples).max()), 1e-6))
    return samples.astype(np.float32, copy=False)


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
