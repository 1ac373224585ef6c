"""Whether what a source delivers says anything at all: a covered lens, a muted microphone."""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.source import Chunk, Frame

NS_PER_S = 1_000_000_000
STRIDE = 61
"""One byte in so many is looked at; a prime, so that no row or channel is favoured."""
DARK = 32
"""Greatest value that counts as dark: a covered sensor's noise at full gain stays below."""
SPREAD = 16
"""How far the bytes of a picture that shows nothing lie from their median at most."""
NEARLY_ALL = 0.99
EQUAL = 1e-6
"""Samples this close together are the same one: a thirtieth of what 16 bits can tell apart."""

Item = TypeVar("Item", Frame, Chunk)


class Blank(Generic[Item]):
    """Says once that nothing has been shown or heard for a while, and once when that is over.

    It is nothing to reopen a source for: the device works, and only somebody beside it can help.
    A source that is lost and found in between is not reported again.

    Args:
        after_s: how long it has to last.
        is_blank: whether an item says nothing.
        what: a name for it, such as `black picture`.
        remedy: what to look at.
    """

    def __init__(
        self, after_s: float, is_blank: Callable[[Item], bool], what: str, remedy: str
    ) -> None:
        self._after_ns = round(after_s * NS_PER_S)
        self._is_blank: Callable[[Item], bool] = is_blank
        self._what = what
        self._remedy = remedy
        self._since_ns: int | None = None
        self._said = False

    def __call__(self, item: Item | None, now_ns: int) -> str | None:
        """Return what is to be said now that this item has come; None for nothing."""
        if item is None:  # opened anew: what was blank before may still be
            return None
        blank = self._is_blank(item)
        if self._since_ns is None:
            self._since_ns = now_ns if blank else None
            return None
        lasted_ns = now_ns - self._since_ns
        if not blank:
            self._since_ns = None
            said, self._said = self._said, False
            return f"{self._what} is over after {lasted_ns / NS_PER_S:.0f} s" if said else None
        if self._said or lasted_ns < self._after_ns:
            return None
        self._said = True
        return f"{self._what} for {lasted_ns / NS_PER_S:.0f} s: {self._remedy}"


def black_picture(after_s: float) -> Blank[Frame]:
    """Return what reports a camera that sees nothing for `after_s` seconds."""
    remedy = "look for a lens cap, a shutter, a light that is off; else the sensor is dead"
    return Blank(after_s, lambda frame: is_black(frame.image), "black picture", remedy)


def digital_silence(after_s: float) -> Blank[Chunk]:
    """Return what reports a microphone whose samples are all equal for `after_s` seconds.

    The quietest room gives noise; only a switch, a gate or a dead converter gives none.
    """
    remedy = (
        "look for a mute switch, for its capture switch and volume in `alsamixer` (F4), and "
        "whether `edge-daemon devices` lists another; else it is dead, or a program gates its noise"
    )
    return Blank(after_s, lambda chunk: is_silent(chunk.samples), "digital silence", remedy)


def is_silent(samples: NDArray[np.float32]) -> bool:
    """Return whether all samples are equal: float32 [n], n of at least 1."""
    return bool(samples.max() - samples.min() <= EQUAL)


def is_black(image: NDArray[np.uint8]) -> bool:
    """Return whether 99 of 100 bytes are dark and alike, noise apart.

    A dim drawing on black is not: its strokes are more than a hundredth of the picture.

    Args:
        image: uint8, [height, width] or [height, width, 3], C-contiguous.
    """
    some = image.reshape(-1)[::STRIDE]
    least = NEARLY_ALL * len(some)
    if np.count_nonzero(some <= DARK) < least:
        return False
    middle = int(np.median(some))
    alike = (some <= middle + SPREAD) & (some >= middle - SPREAD)
    return bool(np.count_nonzero(alike) >= least)
