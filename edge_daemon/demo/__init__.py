"""The demo: an embedded clip (made by tools/make_clip.py) under a scripted resource trace."""

from pathlib import Path
from typing import NamedTuple

DIRECTORY = Path(__file__).resolve().parent
"""Where the demo's config, trace and clip are."""


class Clip(NamedTuple):
    """Files of a recording."""

    video: Path
    audio: Path
    labels: Path


CLIP = Clip(
    DIRECTORY / "clip" / "video.avi",
    DIRECTORY / "clip" / "audio.flac",
    DIRECTORY / "clip" / "labels.csv",
)
