"""What a source is: it opens, blocks briefly for the next item, and closes."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class SourceError(Exception):
    """A device or file failed; the text says what and, where known, what to do about it."""


class EndOfSourceError(Exception):
    """A replay that does not loop has nothing left."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        image: uint8, [height, width] grey or [height, width, 3] BGR. Never written to again.
        captured_ns: monotonic time at which it was captured, in nanoseconds.
        label: what a labelled replay says it shows.
    """

    image: NDArray[np.uint8]
    captured_ns: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of sound.

    Attributes:
        samples: float32, [n], mono, −1 to 1, at the rate the source was asked for.
        captured_ns: monotonic time of the last sample, in nanoseconds.
        overflows: times the device dropped samples before this chunk since the last one.
    """

    samples: NDArray[np.float32]
    captured_ns: int
    overflows: int = 0


Item = TypeVar("Item", covariant=True)


class Source(Protocol[Item]):
    """A camera or microphone, or its twin.

    `open`, `read` and `close` are called by one thread; after `close`, `open` may follow again.
    """

    @property
    def name(self) -> str:
        """For people and the journal: `camera 0`, `microphone USB PnP`. No credentials."""

    @property
    def may_repeat(self) -> bool:
        """Whether equal items in a row are legitimate (drawn pictures, a folder of images)."""

    def open(self) -> str | None:
        """Open the device; raises SourceError. Nothing stays open after a failure.

        Returns:
            What the device says it delivers, for people; None where there is nothing to say.
        """

    def read(self) -> Item:
        """Return the next item, blocking for at most about a second where the device allows.

        Raises:
            SourceError: the device failed or gave nothing in time; the caller closes and reopens.
            EndOfSourceError: nothing will ever follow.
        """

    def close(self) -> None:
        """Release the device; safe to call twice or after a failed open."""
