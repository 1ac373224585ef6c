"""One file of /proc or /sys, kept open and read from its start each time."""

import os
from pathlib import Path

from edge_daemon.governor.attendant import GivenUpError, thread

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_LONGEST = 20  # the kernel's largest number, 2^64 - 1, has as many digits


class KernelFile:
    """A small text file that the kernel makes anew at every read.

    The descriptor stays open (a read is then about 1 µs instead of 10) and is dropped after an
    error, because a device that went and came back has a new file behind the same name.
    `os.pread` and not `open().read()`: the latter turns EAGAIN into None.

    Args:
        path: the file; it is opened at the first read.
        size: the most bytes that matter.

    Attributes:
        path: the same.
        size: the same; may grow when they turn out to be too few.
    """

    __slots__ = ("_fd", "path", "size")

    def __init__(self, path: Path, size: int = 4096) -> None:
        self.path = path
        self.size = size
        self._fd = -1

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            OSError: it cannot be opened or read; the message names the file.
            ValueError: it is empty.
            GivenUpError: it took so long that another thread reads the rest.
        """
        attendant = thread.attendant
        if attendant is not None:
            attendant.begin(self.path)
        try:
            if self._fd < 0:
                self._fd = os.open(self.path, _FLAGS)
            data = os.pread(self._fd, self.size, 0)
        except OSError as error:
            self.close()
            error.filename = str(self.path)
            raise
        finally:
            if attendant is not None and not attendant.end():
                self.close()
                raise GivenUpError
        if not data:
            raise ValueError(f"{self.path} is empty")
        return data

    def read_int(self) -> int:
        """Return the whole number that the file holds.

        Raises:
            OSError: as `read`.
            ValueError: it holds anything else; the message names the file.
        """
        data = self.read()
        try:
            return int(data)
        except ValueError:
            raise ValueError(f"{self.path} holds {data[:32]!r}, not a whole number") from None

    def read_text(self) -> str:
        """Return the file's text without the line end; bytes that are not UTF-8 are replaced."""
        return self.read().decode("utf-8", "replace").strip("\0\n ")

    def close(self) -> None:
        """Drop the descriptor; the next read opens the file again."""
        fd, self._fd = self._fd, -1  # first, so that of two threads only one closes it
        if fd >= 0:
            os.close(fd)


def text_of(path: Path) -> str | None:
    """Return a file's text, or None where it does not exist, is empty or cannot be read."""
    file = KernelFile(path)
    try:
        return file.read_text()
    except (OSError, ValueError):
        return None
    finally:
        file.close()


def int_of(path: Path) -> int | None:
    """Return a file's whole number, or None where there is none to be had."""
    text = text_of(path)
    try:
        return None if text is None or len(text) > _LONGEST else int(text)
    except ValueError:
        return None
