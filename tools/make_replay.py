"""Makes a recording of a user's own test files, and a config with which the daemon plays it.

    python -m tools.make_replay --csv data.csv --bundle models/mine runs/mine/replay
    edge-daemon run --config runs/mine/replay/config.yaml

No file of it was trained with: what the journal says is how the daemon will do.
"""

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.dataset import DatasetError
from tools.dataset.files import read_recording
from tools.dataset.parts import assign_parts
from tools.dataset.recording import room_tone
from tools.dataset.table import Row, read_table
from tools.dataset.wav import RATE_HZ

FRAMES_HZ = 5
BLANK_S, BEFORE_S, AFTER_S = 0.6, 0.6, 0.6
"""Each turn: nothing is shown, then a row's picture, so long before its sound and after it."""

SILENT_S = 1.0
"""How long a sound would last that a row does not have."""

MOST = 60

CONFIG = """\
# Plays files that the models were not trained with, as fast as it goes.
bundle: {bundle}
tier: high
video: {{source: replay}}
audio: {{source: replay}}
replay:
  video: frames
  audio: audio.flac
  labels: labels.csv
  rate_hz: {rate_hz}
  pace: lockstep
journal: {{directory: journal}}
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One row of the table: when it begins, with nothing to be seen, and how long it lasts.

    Attributes:
        row: the row.
        frame: the first of its frames.
        frames: how many it has, the black ones included.
        sound: float32 [n] at 8 kHz; None where the row has none.
    """

    row: Row
    frame: int
    frames: int
    sound: NDArray[np.float32] | None


def script(rows: Sequence[Row]) -> list[Turn]:
    """Let rows follow each other.

    Raises:
        DatasetError: a sound cannot be read.
    """
    turns: list[Turn] = []
    frame = 0
    for row in rows:
        sound = None if row.audio is None else read_recording(row.audio)
        sound_s = SILENT_S if sound is None else len(sound) / RATE_HZ
        length_s = BLANK_S + BEFORE_S + sound_s + AFTER_S
        frames = int(np.ceil(length_s * FRAMES_HZ))
        turns.append(Turn(row, frame, frames, sound))
        frame += frames
    return turns


def write_frames(folder: Path, turns: Sequence[Turn]) -> None:
    """Write every frame of every turn: the user's own files, and black between them."""
    folder.mkdir(parents=True)
    _, png = cv2.imencode(".png", np.zeros((120, 120), dtype=np.uint8))
    black = folder.parent / "black.png"
    black.write_bytes(png.tobytes())
    for turn in turns:
        for number in range(turn.frames):
            shown = None if number < round(BLANK_S * FRAMES_HZ) else turn.row.image
            source = black if shown is None else shown
            target = folder / f"{turn.frame + number:06}{source.suffix.lower()}"
            # A photograph of some megabytes is many frames: links take no room.
            target.symlink_to(source.resolve())


def mix(turns: Sequence[Turn], seed: int = 0) -> NDArray[np.float32]:
    """Play every turn's sound, each in its own room's quiet: float32 [n] at 8 kHz."""
    random = np.random.default_rng(seed)
    parts = []
    for turn in turns:
        count = turn.frames * RATE_HZ // FRAMES_HZ
        part = np.zeros(count, dtype=np.float32)
        if turn.sound is not None:
            part = room_tone(turn.sound, count, random)
            start = round((BLANK_S + BEFORE_S) * RATE_HZ)
            part[start : start + len(turn.sound)] = turn.sound
        parts.append(part)
    return np.clip(np.concatenate(parts), -1.0, 1.0)


def write_replay(folder: Path, rows: Sequence[Row], bundle: Path) -> None:
    """Write frames, audio.flac, labels.csv and config.yaml into a new folder.

    Raises:
        DatasetError: the folder exists already and is not an earlier replay, or a sound cannot be
            read.
    """
    import soundfile

    if folder.exists():
        if any(folder.iterdir()) and not (folder / "frames").is_dir():
            raise DatasetError(f"{folder}: holds other files; name a new folder")
        shutil.rmtree(folder / "frames", ignore_errors=True)
    turns = script(rows)
    write_frames(folder / "frames", turns)
    soundfile.write(folder / "audio.flac", mix(turns), RATE_HZ, subtype="PCM_16")
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("start_s", "label"))
        for turn in turns:
            start_s = turn.frame / FRAMES_HZ
            lines.writerow((f"{start_s:.1f}", ""))
            lines.writerow((f"{start_s + BLANK_S:.1f}", turn.row.label))
    text = CONFIG.format(bundle=json.dumps(str(bundle.resolve())), rate_hz=FRAMES_HZ)
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_replay", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, help="where the recording goes")
    parser.add_argument("--csv", type=Path, required=True, help="the table of your files")
    parser.add_argument("--bundle", type=Path, required=True, help="what the daemon is to run")
    parser.add_argument("--most", type=int, default=MOST, help="rows that are played")
    options = parser.parse_args(arguments)
    try:
        rows = read_table(options.csv)
        parts = assign_parts(rows, options.csv)
        test = [row for row, part in zip(rows, parts, strict=True) if part == "test"]
        write_replay(options.folder, test[: options.most], options.bundle)
    except DatasetError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
