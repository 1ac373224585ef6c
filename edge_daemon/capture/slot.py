"""The newest frame, and nothing older."""

import threading

from edge_daemon.capture.source import Frame


class FrameSlot:
    """Holds one frame: a camera overwrites it, the loop looks at it, neither waits.

    Any thread may call any method.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._seen = True
        self._count = 0
        self._dropped = 0

    def put(self, frame: Frame) -> None:
        """Make `frame` the newest; the one before is dropped, and counted if nobody looked."""
        with self._lock:
            if not self._seen:
                self._dropped += 1
            self._frame = frame
            self._seen = False
            self._count += 1

    def newest(self) -> Frame | None:
        """Return the newest frame, leaving it in place; None before the first."""
        with self._lock:
            self._seen = True
            return self._frame

    @property
    def count(self) -> int:
        """Frames put so far."""
        return self._count

    @property
    def dropped(self) -> int:
        """Frames that were overwritten before anyone looked."""
        return self._dropped
