"""A file that cannot be opened for now: open(2) waits in the kernel, as on a disk that is dead."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class Lease:
    """Holds a file against every other opening of it, in this process and in others.

    The kernel takes it away after `/proc/sys/fs/lease-break-time`, 45 s as a rule. Made by the
    main thread, whose signal handlers notice that somebody waits.

    Attributes:
        asked_for: whether somebody has tried to open the file since.
    """

    def __init__(self, path: Path) -> None:
        self.asked_for = False
        self._before = signal.signal(signal.SIGIO, self._ask)
        self._descriptor = os.open(path, os.O_RDWR)
        fcntl.fcntl(self._descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def spoil(self) -> None:
        """Change the file's first byte, which whoever waits will find."""
        first = os.pread(self._descriptor, 1, 0)[0]
        os.pwrite(self._descriptor, bytes([first ^ 1]), 0)

    def release(self) -> None:
        """Let everybody who waits go on; safe to call twice."""
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        signal.signal(signal.SIGIO, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked_for = True


@contextmanager
def leased(path: Path) -> Iterator[Lease]:
    """Hold a file for the length of a block, or until `release`."""
    lease = Lease(path)
    try:
        yield lease
    finally:
        lease.release()
