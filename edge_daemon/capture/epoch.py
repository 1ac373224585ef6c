"""The moment from which the twins of a camera and a microphone count together."""

import threading

from edge_daemon.clock import Clock


class Epoch:
    """A start that whoever comes first sets and everyone shares. Any thread may ask."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._start_ns: int | None = None

    def start_ns(self) -> int:
        """Return the monotonic time of the start: now, for the first who asks."""
        with self._lock:
            if self._start_ns is None:
                self._start_ns = self._clock()
            return self._start_ns
