"""Lines that wait for the disk, in a bounded buffer that knows which ones it can do without."""

from collections import deque

from msgspec import Struct

from edge_daemon.journal import events
from edge_daemon.journal.events import Event
from edge_daemon.journal.line import Stamp

_LINE_BYTES = 1024

_WORTH: dict[type[Event], int] = {
    events.Prediction: 0,
    events.ReadingEvent: 0,
    events.Capture: 1,
    events.Reload: 1,
    events.ClockEvent: 2,
    events.Fault: 2,
    events.TierChange: 2,
    events.Start: 3,
    events.Stop: 3,
}


def worth(event: Event) -> int:
    """Return how long a full buffer holds on to the event: 0 goes first."""
    return _WORTH[type(event)]


class Waiting(Struct, frozen=True, gc=False):
    """A line that is encoded but for its number.

    Attributes:
        head: the bytes before the digits of `seq`.
        body: the bytes after them, the newline included.
        mono_ns: when the event happened.
        worth: see `worth`.
        prediction: whether it is a prediction.
    """

    head: bytes
    body: bytes
    mono_ns: int
    worth: int
    prediction: bool

    @property
    def size(self) -> int:
        """Bytes in memory and, but for the number, on disk."""
        return len(self.head) + len(self.body)


def encoded(event: Event, stamp: Stamp) -> Waiting:
    """Return the event as a line that happens now.

    Raises:
        TypeError, ValueError, OverflowError: the event holds what JSON cannot say.
    """
    mono_ns, head, body = stamp(event)
    return Waiting(head, body, mono_ns, worth(event), isinstance(event, events.Prediction))


class Buffer:
    """A queue of lines, bounded in lines and in bytes (1 KiB a line). Not locked.

    When it is full it loses the newest line of the least worth, the one that comes in included.
    So an outage keeps its beginning, and every tier change, fault, start and stop for as long as
    there is anything else to lose.

    Attributes:
        capacity: the bound in lines; it may be changed at any time.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._lines: deque[Waiting] = deque()
        self._bytes = 0
        self._of_worth = [0] * (max(_WORTH.values()) + 1)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def half_full(self) -> bool:
        """Whether it is time to hurry."""
        return 2 * len(self._lines) > self.capacity

    def put(self, line: Waiting) -> int:
        """Add a line at the end; return how many lines, it included, were lost for it."""
        lost = 0
        while self._lines and (
            len(self._lines) >= self.capacity
            or self._bytes + line.size > self.capacity * _LINE_BYTES
        ):
            lost += 1
            least = next(w for w, count in enumerate(self._of_worth) if count)
            if line.worth <= least:
                return lost
            self._drop_newest(least)
        self._lines.append(line)
        self._count(line, 1)
        return lost

    def take(self, max_lines: int) -> list[Waiting]:
        """Remove and return the oldest lines."""
        taken = [self._lines.popleft() for _ in range(min(max_lines, len(self._lines)))]
        for line in taken:
            self._count(line, -1)
        return taken

    def put_back(self, lines: list[Waiting]) -> None:
        """Return lines that were taken; they may exceed the bound until the next `put`."""
        self._lines.extendleft(reversed(lines))
        for line in lines:
            self._count(line, 1)

    def _drop_newest(self, worth: int) -> None:
        for index in range(len(self._lines) - 1, -1, -1):
            line = self._lines[index]
            if line.worth == worth:
                del self._lines[index]
                self._count(line, -1)
                return

    def _count(self, line: Waiting, step: int) -> None:
        self._bytes += step * line.size
        self._of_worth[line.worth] += step
