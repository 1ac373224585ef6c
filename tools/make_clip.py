"""Makes the clip that the demo plays: digits on a sheet of paper, and a voice that says them.

    python -m tools.make_clip edge_daemon/demo/clip

Pictures and room are drawn by code; the voice is one of espeak-ng's that training never hears.
"""

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import DatasetError
from tools.dataset.voices import HELD_OUT_VOICES, NUMERALS, say
from tools.sheet import Sheet

WIDTH_PX, HEIGHT_PX = 240, 180
FRAMES_HZ = 15
AUDIO_HZ = 16_000
"""Not the models' rate, so that the demo resamples as a real microphone makes it do."""

BLANK_S, SHOWN_S, SPOKEN_S = 0.4, 1.8, 0.5
"""Each turn: an empty sheet, then a digit, and this long after the digit its word."""

NOISE_DB = -24.0
"""The room's noise, relative to the voice."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One digit: the times at which its empty sheet and the digit itself appear."""

    label: int
    blank_s: float
    shown_s: float


def script(seed: int) -> list[Turn]:
    """Return the ten digits in random order."""
    order = np.random.default_rng((seed, 0)).permutation(10)
    turn_s = BLANK_S + SHOWN_S
    return [Turn(int(label), i * turn_s, i * turn_s + BLANK_S) for i, label in enumerate(order)]


def length_s(turns: list[Turn]) -> float:
    """Return how long the clip is; it ends with an empty sheet."""
    return turns[-1].shown_s + SHOWN_S + BLANK_S


def frames(turns: list[Turn], seed: int) -> list[NDArray[np.uint8]]:
    """Draw every frame: uint8 [180, 240, 3] BGR."""
    sheet = Sheet(WIDTH_PX, HEIGHT_PX, seed)
    drawn = []
    for number in range(round(length_s(turns) * FRAMES_HZ)):
        time_s = number / FRAMES_HZ
        shown = [turn for turn in turns if turn.shown_s <= time_s < turn.shown_s + SHOWN_S]
        drawn.append(sheet.photograph(shown[0].label if shown else None, time_s))
    return drawn


def sound(turns: list[Turn], seed: int, voice: str) -> NDArray[np.float32]:
    """Say every digit in a quiet room: float32 [n] at 16 kHz."""
    random = np.random.default_rng((seed, 1))
    count = round(length_s(turns) * AUDIO_HZ)
    # Noise that falls by 6 dB an octave from 200 Hz on, as a fan or a street does.
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency_hz = np.fft.rfftfreq(count, 1.0 / AUDIO_HZ)
    noise = np.fft.irfft(spectrum / np.maximum(frequency_hz, 200.0), count)
    words = {
        turn.label: say(
            NUMERALS[turn.label], voice, words_per_minute=150, pitch=45, rate_hz=AUDIO_HZ
        )
        for turn in turns
    }
    power = np.mean([np.mean(word**2) for word in words.values()])
    samples = noise * np.sqrt(power * 10.0 ** (NOISE_DB / 10.0) / np.mean(noise**2))
    for turn in turns:
        start = round((turn.shown_s + SPOKEN_S) * AUDIO_HZ)
        word = words[turn.label]
        samples[start : start + len(word)] += word
    return (samples * (0.5 / np.abs(samples).max())).astype(np.float32)


def write_clip(folder: Path, seed: int = 0, voice: str = HELD_OUT_VOICES[0]) -> None:
    """Write video.avi, audio.flac and labels.csv.

    Raises:
        DatasetError: espeak-ng is missing, or OpenCV cannot write the video.
    """
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    turns = script(seed)
    _write_video(folder / "video.avi", frames(turns, seed))
    soundfile.write(folder / "audio.flac", sound(turns, seed, voice), AUDIO_HZ, subtype="PCM_16")
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("start_s", "label"))
        for turn in turns:
            rows.writerow((f"{turn.blank_s:.1f}", ""))
            rows.writerow((f"{turn.shown_s:.1f}", turn.label))
        rows.writerow((f"{length_s(turns) - BLANK_S:.1f}", ""))


def _write_video(path: Path, pictures: list[NDArray[np.uint8]]) -> None:
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, FRAMES_HZ, (WIDTH_PX, HEIGHT_PX))
    if not writer.isOpened():
        raise DatasetError(f"{path}: this OpenCV cannot write MPEG-4; use the wheel from PyPI")
    for picture in pictures:
        writer.write(picture)
    writer.release()


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="tools.make_clip", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the three files go")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--voice", default=HELD_OUT_VOICES[0], help="of espeak-ng")
    options = parser.parse_args(arguments)
    try:
        write_clip(options.folder, options.seed, options.voice)
    except DatasetError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
