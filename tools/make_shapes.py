"""Makes an example of a user's own files: three shapes on paper, and a pattern of tones for each.

    python -m tools.make_shapes shapes

What docs/tutorial.md trains with, for who has no files of their own yet.
"""

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

LABELS = ("circle", "cross", "square")
EACH = 24
RATE_HZ = 16_000
WIDTH_PX, HEIGHT_PX = 240, 180


def write_shapes(folder: Path, each: int = EACH, seed: int = 0) -> Path:
    """Write `each` pictures and sounds of every label, and their table; return its path."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "data.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("image", "audio", "label"))
        for number, label in ((number, label) for number in range(each) for label in LABELS):
            random = np.random.default_rng((seed, number, LABELS.index(label)))
            image, audio = f"{label}_{number:02}.jpg", f"{label}_{number:02}.wav"
            cv2.imwrite(str(folder / image), draw(label, random))
            soundfile.write(folder / audio, play(label, random), RATE_HZ)
            rows.writerow((image, audio, label))
    return table


def draw(label: str | None, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a shape with a pen: uint8 [180, 240, 3], on paper; None leaves it empty."""
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), random.uniform(190.0, 240.0), dtype=np.float32)
    x, y = (int(side / 2 + random.uniform(-12.0, 12.0)) for side in (WIDTH_PX, HEIGHT_PX))
    half, pen = int(random.uniform(28.0, 48.0)), int(random.integers(5, 9))
    ink = (70.0, 50.0, 40.0)
    match label:
        case "circle":
            cv2.circle(picture, (x, y), half, ink, pen, cv2.LINE_AA)
        case "square":
            cv2.rectangle(picture, (x - half, y - half), (x + half, y + half), ink, pen)
        case "cross":
            cv2.line(picture, (x - half, y - half), (x + half, y + half), ink, pen, cv2.LINE_AA)
            cv2.line(picture, (x - half, y + half), (x + half, y - half), ink, pen, cv2.LINE_AA)
    picture += random.normal(0.0, 3.0, picture.shape)
    return np.clip(picture, 0.0, 255.0).astype(np.uint8)


def play(label: str, random: np.random.Generator) -> NDArray[np.float32]:
    """Play a label's tones, half a second somewhere in 1.4: float32 [n] at 16 kHz.

    A circle holds its tone, a square rises, a cross jumps up and down.
    """
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    match label:
        case "circle":
            pitch_hz = np.full_like(time_s, 700.0)
        case "square":
            pitch_hz = 500.0 * 2.0 ** (3.0 * time_s)
        case _:
            pitch_hz = np.where((time_s * 8).astype(int) % 2 == 0, 500.0, 1600.0)
    phase = 2.0 * np.pi * np.cumsum(pitch_hz * random.uniform(0.93, 1.07)) / RATE_HZ
    tone = 0.3 * (np.sin(phase) + 0.5 * np.sin(2.0 * phase)) * np.hanning(len(phase)) ** 0.3
    sound = random.normal(0.0, 0.002, round(1.4 * RATE_HZ))
    start = int(random.uniform(0.2, 0.6) * RATE_HZ)
    sound[start : start + len(tone)] += tone
    return sound.astype(np.float32)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_shapes", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--each", type=int, default=EACH, help="pictures and sounds of each shape")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    write_shapes(options.folder, options.each, options.seed)


if __name__ == "__main__":
    main()
