"""The last line of a file of which blocks cannot be read, as a card that wears out leaves it."""

import errno
import os

from edge_daemon.journal.line import MAX_LINE_BYTES, envelope

# The medium, the file system's structure, its checksums.
_UNREADABLE = frozenset({errno.EIO, errno.EUCLEAN, errno.EBADMSG})
_BLOCK_BYTES = 4096


def is_unreadable(error: OSError) -> bool:
    """Return whether the error is of something written that cannot be read back."""
    return error.errno in _UNREADABLE


def last_readable(fd: int) -> tuple[int | None, OSError | None]:
    """Look for the last line of a file, passing over blocks that cannot be read.

    A block that fails may take a card seconds, so each one lets twice as many be skipped unread.

    Returns:
        Number of the line, None where none can be read; and why something behind it cannot be
        read, None where all can.

    Raises:
        OSError: another error than that of unreadable blocks.
    """
    error: OSError | None = None
    start = os.fstat(fd).st_size
    rest = b""  # the beginning of what was read, which may belong to a line further up
    skip = 0
    while start > 0:
        end, start = start, (start - 1) // _BLOCK_BYTES * _BLOCK_BYTES
        try:
            block = os.pread(fd, end - start, start)
        except OSError as failed:
            if not is_unreadable(failed):
                raise
            error, rest = failed, b""
            start = max(0, start - skip * _BLOCK_BYTES)
            skip = 2 * skip + 1
            continue
        # Of a line that is not read to both its ends no part is one.
        lines = (block + rest).split(b"\n")
        for line in reversed(lines):
            found = envelope(line.rstrip(b"\0"))
            if found is not None:
                return found.seq, error
        rest = lines[0][:MAX_LINE_BYTES]
    return None, error
