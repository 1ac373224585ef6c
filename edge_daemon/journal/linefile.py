"""A file of lines that somebody else may append to, truncate, rename or delete meanwhile."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 1024 * 1024
_BACK_BYTES = 64 * 1024
# A pipe in the place of a journal is not waited for.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read so many bytes; fewer only at the end of the file.

    A bad block makes one call to the kernel return what stands before it, and the next one fail.

    Raises:
        OSError: a part of it cannot be read.
    """
    data = b""
    while more := os.pread(fd, size - len(data), offset + len(data)):
        data += more
        if len(data) == size:
            break
    return data


class LineFile:
    """An open file and a position in it, at the start of a line.

    Nothing is buffered between calls: bytes that were read once and then undone by the writer
    are never seen again.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        self._fd = os.open(path, _FLAGS)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise OSError(errno.EINVAL, "is no regular file", str(path))

    @classmethod
    def if_there(cls, path: Path) -> Self | None:
        """Open it, or return None where it does not exist."""
        try:
            return cls(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def same_as(self, other: "LineFile") -> bool:
        """Return whether both are one file, whatever their names."""
        return os.path.sameopenfile(self._fd, other._fd)

    def rewind_if_truncated(self) -> None:
        """Go back to the start when the file ends before the position."""
        if os.fstat(self._fd).st_size < self.position:
            self.position = 0

    def first(self) -> bytes | None:
        """Return the first line; None while its newline has not come."""
        line, newline, _ = os.pread(self._fd, _BACK_BYTES, 0).partition(b"\n")
        return line if newline else None

    def forwards(self, whole_file: bool = False) -> Iterator[tuple[int, bytes]]:
        """Yield `(offset, line)` from the position on, which moves along.

        A "line" of more than 1 MiB comes in pieces.

        Args:
            whole_file: yield also what stands after the last newline; otherwise it is left
                for a later call, when its newline has come.

        Raises:
            OSError: the file cannot be read.
        """
        while data := os.pread(self._fd, _CHUNK_BYTES, self.position):
            *lines, rest = data.split(b"\n")
            for line in lines:
                offset = self.position
                self.position += len(line) + 1
                yield offset, line
            if lines and len(data) == _CHUNK_BYTES:
                continue  # `rest` comes with the next chunk
            if rest and (whole_file or len(data) == _CHUNK_BYTES):
                offset = self.position
                self.position += len(rest)
                yield offset, rest
            elif rest:
                return

    def backwards(self) -> Iterator[tuple[int, bytes]]:
        """Yield `(offset, line)` from the last newline back; the position is set behind it.

        A "line" of more than 1 MiB comes in pieces, the last one first.

        Raises:
            OSError: the file cannot be read; where that is its end, the position is behind it.
        """
        self.position = start = os.fstat(self._fd).st_size
        rest = b""  # the beginning of what was read, which may belong to a line further up
        ended = False
        while start > 0:
            step = min(start, _BACK_BYTES)
            start -= step
            data = read_at(self._fd, step, start) + rest
            if not ended:
                end = data.rfind(b"\n")
                if end < 0:  # nothing but what comes after the last newline: not asked for
                    continue
                ended = True
                self.position = start + end + 1
                data = data[:end]
            rest, *lines = data.split(b"\n")
            offset = start + len(data)
            for line in reversed(lines):
                offset -= len(line)
                yield offset, line
                offset -= 1
            if len(rest) > _CHUNK_BYTES:
                yield start, rest
                rest = b""
        if ended:
            yield 0, rest
        else:
            self.position = 0
