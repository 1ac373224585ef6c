"""A user's files, made by code: three shapes drawn on paper, and a pattern of tones for each."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

LABELS = ("circle", "cross", "square")
RATE_HZ = 16_000


def write_shapes(folder: Path, each: int, seed: int = 0) -> Path:
    """Write `each` pictures and sounds of every label, and their table, whose path is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(each):
        for label in LABELS:
            random = np.random.default_rng((seed, number, LABELS.index(label)))
            image, audio = f"{label}_{number:02}.png", f"{label}_{number:02}.wav"
            cv2.imwrite(str(folder / image), draw(label, random))
            soundfile.write(folder / audio, play(label, random), RATE_HZ)
            rows.append((image, audio, label))
    return write_table(folder / "data.csv", rows)


def write_table(
    path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("image", "audio", "label")
) -> Path:
    """Write a table and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(header)
        lines.writerows(rows)
    return path


def draw(label: str | None, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a shape with a pen: uint8 [180, 240, 3], on paper; None leaves it empty."""
    picture = np.full((180, 240, 3), random.uniform(190, 240), dtype=np.float32)
    x, y = (int(centre + random.uniform(-12, 12)) for centre in (120, 90))
    half, pen = int(random.uniform(28, 48)), int(random.integers(5, 9))
    ink = (70, 50, 40)
    match label:
        case "circle":
            cv2.circle(picture, (x, y), half, ink, pen, cv2.LINE_AA)
        case "square":
            cv2.rectangle(picture, (x - half, y - half), (x + half, y + half), ink, pen)
        case "cross":
            cv2.line(picture, (x - half, y - half), (x + half, y + half), ink, pen, cv2.LINE_AA)
            cv2.line(picture, (x - half, y + half), (x + half, y - half), ink, pen, cv2.LINE_AA)
    picture += random.normal(0.0, 3.0, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def play(label: str, random: np.random.Generator) -> NDArray[np.float32]:
    """Play a label's tones, half a second somewhere in 1.4: float32 [n] at 16 kHz."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    tuning = random.uniform(0.93, 1.07)
    match label:
        case "circle":
            pitch_hz = np.full_like(time_s, 700.0)
        case "square":
            pitch_hz = 500.0 * 2.0 ** (3.0 * time_s)
        case _:
            pitch_hz = np.where((time_s * 8).astype(int) % 2 == 0, 500.0, 1600.0)
    phase = 2.0 * np.pi * np.cumsum(pitch_hz * tuning) / RATE_HZ
    tone = 0.3 * (np.sin(phase) + 0.5 * np.sin(2.0 * phase)) * np.hanning(len(phase)) ** 0.3
    sound = random.normal(0.0, 0.002, round(1.4 * RATE_HZ))
    start = int(random.uniform(0.2, 0.6) * RATE_HZ)
    sound[start : start + len(tone)] += tone
    return sound.astype(np.float32)
