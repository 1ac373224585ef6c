"""The end of a journal file as a power cut or a kill may have left it.

A file system may keep any prefix of what was appended, and ext4 with delayed allocation may keep
the length without the data: the tail is then zeros. So the tail counts only up to the last *whole
line*: a newline at its end and a JSON object with our envelope in it.
"""

import os
from dataclasses import dataclass

from edge_daemon.journal.line import envelope
from edge_daemon.journal.linefile import read_at

_STEP_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tail:
    """What the end of a file looks like.

    Attributes:
        end: offset after the last whole line.
        torn: bytes after it that are no line.
        seq: number of the last whole line; None where the file has none.
        newline: whether the last whole line still needs its newline.
    """

    end: int
    torn: int
    seq: int | None
    newline: bool = False


def inspect(fd: int) -> Tail:
    """Look at the end of a file, from its end backwards, without changing it.

    Raises:
        OSError: it cannot be read.
    """
    size = os.fstat(fd).st_size
    start = size
    data = b""
    while True:
        # `data` is the file from `start` on; a first line that begins before `start` is not judged.
        end = len(data)
        while end > 0:
            begin = data.rfind(b"\n", 0, end - 1) + 1
            if begin == 0 and start > 0:
                break
            line = data[begin:end].rstrip(b"\0")
            found = envelope(line)
            if found is not None:
                end = begin + len(line)
                return Tail(start + end, len(data) - end, found.seq, not line.endswith(b"\n"))
            end = begin
        if start == 0:
            return Tail(0, size, None)
        step = max(_STEP_BYTES, len(data))
        before = read_at(fd, min(step, start), max(0, start - step))
        if not before:  # somebody truncated it meanwhile
            return Tail(0, 0, None)
        start = max(0, start - step)
        data = before + data


def repair(fd: int) -> Tail:
    """Cut what follows the last whole line; complete a line that only lacks its newline.

    Args:
        fd: open for reading and appending.

    Raises:
        OSError: it cannot be read or written.
    """
    tail = inspect(fd)
    if tail.torn:
        os.ftruncate(fd, tail.end)
    if tail.newline:
        os.write(fd, b"\n")
    return tail
