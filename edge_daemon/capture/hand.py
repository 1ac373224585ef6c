"""One thread's hold on a device, which can be left behind in a call that does not return."""

from typing import Generic, TypeVar

from edge_daemon.capture.source import Chunk, Frame, Source
from edge_daemon.clock import Clock

Item = TypeVar("Item", Frame, Chunk)


class Hand(Generic[Item]):
    """Makes the calls into a source and knows since when one has not returned.

    A source's calls are made by one thread. Another may ask `hangs` and set `left`; it must not
    close the source in its place: releasing a capture beneath a read crashes the process.

    Args:
        source: what is held.
        clock: monotonic nanoseconds.

    Attributes:
        source: what is held.
        left: whether it was left behind: what it still brings is not wanted.
        died_of: what ended its thread, other than a stop or the source's end.
    """

    def __init__(self, source: Source[Item], clock: Clock) -> None:
        self.source: Source[Item] = source
        self.left = False
        self.died_of: BaseException | None = None
        self._clock = clock
        self._called_ns: int | None = None

    def open(self) -> str | None:
        """Open the source; see `Source`."""
        self._called_ns = self._clock()
        try:
            return self.source.open()
        finally:
            self._called_ns = None

    def read(self) -> Item:
        """Read the source; see `Source`."""
        self._called_ns = self._clock()
        try:
            return self.source.read()
        finally:
            self._called_ns = None

    def close(self) -> None:
        """Close the source; see `Source`."""
        self._called_ns = self._clock()
        try:
            self.source.close()
        finally:
            self._called_ns = None

    def hangs(self, now_ns: int, after_ns: int) -> bool:
        """Return whether a call has gone on for longer than `after_ns`."""
        called_ns = self._called_ns
        return called_ns is not None and now_ns - called_ns > after_ns
