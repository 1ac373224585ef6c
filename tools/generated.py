"""A data set made by code, for smoke runs: drawn digits and made-up words, learnt in a second."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.spec import AudioSpec
from tools.dataset import Dataset, Pictures, Sounds, pair
from tools.tiers import AUDIO_FULL, LABELS

CLIPS = 50


def generated(count: int, seed: int, spec: AudioSpec = AUDIO_FULL) -> Dataset:
    """Return `count` pictures and as many sounds; the tenth part of the sounds says nothing.

    Args:
        count: of each.
        seed: of all of them.
        spec: of the sounds' tensor, of which only the bands count here.
    """
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % len(LABELS)).astype(np.uint8)
    images28 = np.stack([draw_digit(LABELS[label], random) for label in labels])
    images14 = np.stack(
        [cv2.resize(image, (14, 14), interpolation=cv2.INTER_AREA) for image in images28]
    )
    said = np.where(np.arange(count) // len(LABELS) % 10 == 9, -1, labels).astype(np.int8)
    columns = np.stack([make_word(int(label), random) for label in said])
    columns = columns[:, :, slice(*spec.band_slice)]
    clips = np.where(said < 0, -1, np.arange(count) % CLIPS).astype(np.int32)
    return Dataset(
        Pictures(images28, images14.astype(np.uint8), labels),
        Sounds(columns, said, clips, said >= 0),
        pair(labels, said, seed),
    )


def draw_digit(text: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return uint8 [28, 28]: a white digit on black, somewhere in the middle."""
    picture = np.zeros((28, 28), dtype=np.uint8)
    left, bottom = (int(random.integers(low, low + 4)) for low in (5, 21))
    size = float(random.uniform(0.7, 0.85))
    cv2.putText(picture, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, size, 255, 2, cv2.LINE_AA)
    return picture


def make_word(label: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return uint8 [columns, bands]: two formants whose bands and glide tell the label."""
    columns, bands = AUDIO_FULL.columns, AUDIO_FULL.kept_bands
    word = np.zeros((columns, bands))
    if label >= 0:
        time = np.linspace(0.0, 1.0, columns)[:, None]
        band = np.arange(bands)[None, :]
        for centre in (3 + 2 * label + 3 * time, 34 - 2 * label - 4 * time * (label % 3)):
            word += np.exp(-((band - centre) ** 2) / 4.0)
        word *= np.clip(4.0 * (0.9 - time), 0.0, 1.0) * random.uniform(0.7, 1.0)
        word += random.uniform(0.0, 0.3, word.shape)
    return np.rint(np.clip(word, 0.0, 1.0) * 255.0).astype(np.uint8)
