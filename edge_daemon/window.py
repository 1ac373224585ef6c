"""What is classified at once: the newest picture and the sound that ends with it."""

from typing import NamedTuple

from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.source import Frame


class Window(NamedTuple):
    """One window.

    Attributes:
        number: counts from 0 since the start.
        cut_ns: monotonic time of the cut.
        frame: the newest picture; None while there is no fresh one.
        audio: the ring that holds the sound; None while no microphone delivers.
        audio_end: index, in the ring's count, after the last sample that belongs to the window.
    """

    number: int
    cut_ns: int
    frame: Frame | None
    audio: SampleRing | None = None
    audio_end: int = 0
