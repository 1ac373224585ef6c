"""Who is told what a thread reads, because such a read may never return."""

import threading
from pathlib import Path
from typing import Protocol


class GivenUpError(BaseException):
    """Another thread does this one's work now: end, and touch nothing on the way.

    Not an `Exception`, so that no handler on the way takes it for a sensor's failure.
    """


class Attendant(Protocol):
    """Is told of every kernel file that its thread reads."""

    def begin(self, path: Path) -> None:
        """A read of this file begins.

        Raises:
            TimeoutError: the file must not be read now: an earlier read of it hangs.
            GivenUpError: another thread does this one's work now.
        """

    def end(self) -> bool:
        """Return whether this thread, now that the read has returned, may still go on."""


class _Thread(threading.local):
    attendant: Attendant | None = None


thread = _Thread()
"""The calling thread's own; none until it sets one."""
