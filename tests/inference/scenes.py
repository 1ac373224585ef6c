"""Bundles, pictures and sounds that several tests look at."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.window import Window

ROOT = Path(__file__).resolve().parents[2]
BARS = ROOT / "tests" / "data" / "models" / "bars"
AVDIGITS = ROOT / "models" / "avdigits"
RATE_HZ = 8000
SECOND_NS = 1_000_000_000


def bar(label: int, side: int = 28) -> NDArray[np.uint8]:
    """Return a picture whose quarter of rows that belongs to `label` is white."""
    picture = np.zeros((side, side), np.uint8)
    picture[np.arange(side) * 4 // side == label] = 255
    return picture


def burst(seconds: float, at_s: float, tone_hz: float = 700.0) -> NDArray[np.float32]:
    """Return faint noise with a loud tone of 0.3 s, float32 at 8 kHz."""
    count = round(seconds * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    noise = np.random.default_rng(7).standard_normal(count) * 1e-3
    sounding = (time_s >= at_s) & (time_s < at_s + 0.3)
    return (noise + 0.5 * sounding * np.sin(2 * np.pi * tone_hz * time_s)).astype(np.float32)


def ring_of(samples: NDArray[np.float32], capacity: int = 40_000, chunk: int = 160) -> SampleRing:
    """Return a ring into which the samples came in chunks, the first at time 0."""
    ring = SampleRing(capacity, RATE_HZ)
    for start in range(0, len(samples), chunk):
        feed(ring, samples[start : start + chunk])
    return ring


def feed(ring: SampleRing, samples: NDArray[np.float32]) -> None:
    """Append samples, captured at the ring's nominal time."""
    last = ring.end + len(samples) - 1
    ring.append(Chunk(samples, last * SECOND_NS // RATE_HZ))


def window(
    picture: NDArray[np.uint8] | None = None, ring: SampleRing | None = None, end: int | None = None
) -> Window:
    """Return a window with a picture captured at 5 ns, and with sound up to `end`."""
    frame = None if picture is None else Frame(picture, 5)
    until = end if end is not None else ring.end if ring is not None else 0
    return Window(0, 0, frame, ring, until)
