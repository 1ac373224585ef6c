"""The journal's files as the writer sees them: whole lines appended, numbered, rotated, locked."""

import errno
import fcntl
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from edge_daemon.journal.buffer import Waiting
from edge_daemon.journal.line import MAX_LINE_BYTES
from edge_daemon.journal.repair import inspect, repair
from edge_daemon.journal.rotation import (
    ACTIVE,
    OnUnreadable,
    last_seq,
    log_unreadable,
    prune,
    rotate,
    set_aside,
)
from edge_daemon.journal.salvage import is_unreadable

log = logging.getLogger(__name__)

_BEGIN = b'{"schema":'
# What a camera sees is nobody's business but the operator's.
_DIRECTORY_MODE, _FILE_MODE = 0o750, 0o640
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class JournalLockedError(OSError):
    """Another process writes to the directory."""


class JournalFiles:
    """One writer's hold on a journal directory.

    After any `OSError` the caller closes and opens again: opening repairs whatever is left.

    Args:
        directory: made when it is missing.
        max_file_bytes: a file is rotated before it would exceed this; at least 16 KiB.
        max_total_bytes: bound on all files together; at least twice `max_file_bytes`.
        on_unreadable: told of a file with blocks that cannot be read; it is kept, and no longer
            written to.

    Raises:
        ValueError: a bound is too small.
    """

    def __init__(
        self,
        directory: Path,
        max_file_bytes: int,
        max_total_bytes: int,
        on_unreadable: OnUnreadable = log_unreadable,
    ) -> None:
        self.directory = directory
        self.set_bounds(max_file_bytes, max_total_bytes)
        self._on_unreadable = on_unreadable
        self.gone = 0
        """Lines that were written before, and that the last `open` did not find again: a file
        system that failed has lost them, or somebody has deleted them."""
        self._next_seq = 0
        self._fd = -1
        self._directory_fd = -1

    @property
    def next_seq(self) -> int:
        """Number of the next line."""
        return self._next_seq

    @property
    def is_open(self) -> bool:
        """Whether lines can be appended."""
        return self._fd >= 0

    def set_bounds(self, max_file_bytes: int, max_total_bytes: int) -> None:
        """Change both bounds, from the next line or `keep_bounds` on, whichever comes first.

        Raises:
            ValueError: a bound is too small.
        """
        if max_file_bytes < MAX_LINE_BYTES:
            raise ValueError(f"max_file_bytes is {max_file_bytes}; at least {MAX_LINE_BYTES}")
        if max_total_bytes < 2 * max_file_bytes:
            raise ValueError(
                f"max_total_bytes is {max_total_bytes}; at least twice max_file_bytes, "
                f"{2 * max_file_bytes}, because a full file is kept beside the one being written"
            )
        self._max_file_bytes = max_file_bytes
        self._max_total_bytes = max_total_bytes
        self._bounds_changed = True

    def open(self) -> int:
        """Lock the directory, repair the active file and go on after its last line.

        Returns:
            Bytes cut from the file because they were no whole line.

        Raises:
            JournalLockedError: another process holds the directory.
            OSError: the directory or the file cannot be used.
        """
        self.close()
        try:
            self._lock()
            return self._open_active()
        except BaseException:
            self.close()
            raise

    def append(self, lines: Sequence[Waiting]) -> int:
        """Write the first of `lines`, at least one, each whole, with one call to the kernel.

        Returns:
            How many of them are in the file now; the others were left for the next call because
            the file or the disk is full.

        Raises:
            OSError: not even one could be written; the file is as it was before.
        """
        status = os.fstat(self._fd)
        if status.st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "deleted by someone", str(self._active))
        room = self._max_file_bytes - status.st_size
        data: list[bytes] = []
        for seq, line in enumerate(lines, self._next_seq):
            whole = b"%b%d%b" % (line.head, seq, line.body)
            room -= len(whole)
            if room < 0:
                break
            data.append(whole)
        if not data:
            self._rotate()
            return self.append(lines)
        written = os.write(self._fd, b"".join(data))
        for count, whole in enumerate(data):
            written -= len(whole)
            if written < 0:
                return self._undo(count, status.st_size + sum(map(len, data[:count])))
        self._next_seq += len(data)
        return len(data)

    def keep_bounds(self) -> None:
        """Delete the oldest files where bounds that were lowered have no room for them any more.

        Raises:
            OSError: the directory cannot be read.
        """
        if self._bounds_changed:
            self._prune()

    def check(self) -> None:
        """Confirm that the active file is still the one that readers find under its name.

        Raises:
            OSError: it, or its directory, was deleted, moved or replaced.
        """
        if not os.path.samestat(os.fstat(self._fd), self._active.stat()):
            raise FileNotFoundError(errno.ENOENT, "replaced by someone", str(self._active))

    def sync(self) -> None:
        """Wait until the disk itself has everything.

        Raises:
            OSError: the disk failed.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        """Let go of the file and the directory; never raises."""
        for fd in (self._fd, self._directory_fd):
            if fd >= 0:
                try:
                    os.close(fd)
                except OSError as error:
                    log.warning("journal: closing failed: %s", error)
        self._fd = self._directory_fd = -1

    @property
    def _active(self) -> Path:
        return self.directory / ACTIVE

    def _lock(self) -> None:
        self.directory.mkdir(_DIRECTORY_MODE, parents=True, exist_ok=True)
        self._directory_fd = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._directory_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalLockedError(
                errno.EWOULDBLOCK,
                "another edge-daemon writes its journal here; stop it or choose another directory",
                str(self.directory),
            ) from None

    def _open_active(self) -> int:
        try:
            self._fd = _open(self._active)
            tail = inspect(self._fd)
        except OSError as error:
            if not is_unreadable(error):
                raise
            self._leave(error)
            tail = inspect(self._fd)
        if tail.torn and tail.seq is None and not self._looks_like_ours():
            aside = set_aside(self._active)
            log.warning("journal: %s holds no journal; kept as %s", self._active, aside)
            self._let_go()
            self._fd = _open(self._active)
        tail = repair(self._fd)
        seq = tail.seq
        if seq is None:
            seq = last_seq(self.directory, self._on_unreadable)
        found = 0 if seq is None else seq + 1
        self.gone = max(0, self._next_seq - found)
        self._next_seq = max(self._next_seq, found)
        self._prune()
        return tail.torn

    def _leave(self, error: OSError) -> None:
        """Go on in a fresh file; the one that cannot be read to its end stays among the others."""
        if self._fd >= 0:
            self._let_go()
        kept = rotate(self.directory, self._on_unreadable)
        os.fsync(self._directory_fd)
        self._on_unreadable(kept, error)
        self._fd = _open(self._active)

    def _prune(self) -> None:
        self._bounds_changed = False  # before the bounds are read: they may change meanwhile
        active_bytes = max(self._max_file_bytes, os.fstat(self._fd).st_size)
        prune(self.directory, self._max_total_bytes - active_bytes)

    def _looks_like_ours(self) -> bool:
        """Return whether a file without a whole line is what a power cut leaves of a journal."""
        begin = os.pread(self._fd, len(_BEGIN), 0).rstrip(b"\0")
        return _BEGIN.startswith(begin)

    def _rotate(self) -> None:
        self.check()
        os.fsync(self._fd)
        rotate(self.directory, self._on_unreadable)
        os.fsync(self._directory_fd)
        self._let_go()
        self._open_active()

    def _let_go(self) -> None:
        """Close the active file. Whatever comes of it, the number may be another file's then."""
        fd, self._fd = self._fd, -1
        os.close(fd)

    def _undo(self, count: int, end: int) -> int:
        """Cut a line that went to disk only in part; `count` whole ones stay."""
        os.ftruncate(self._fd, end)
        if count == 0:
            raise OSError(errno.ENOSPC, "no space for a whole line", str(self._active))
        self._next_seq += count
        return count


def cause(error: Exception, directory: Path) -> str:
    """Return in a few words what an error says of the journal's directory."""
    if isinstance(error, PermissionError):
        return f"{directory} may not be written to by this user"
    return "the disk fails"


def _open(path: Path) -> int:
    """Open the active file, but not through a link that another user left in a shared directory.

    Raises:
        OSError: it cannot be opened, or is such a link.
    """
    try:
        return os.open(path, _FLAGS | os.O_NOFOLLOW, _FILE_MODE)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        if path.lstat().st_uid not in (0, os.geteuid()):
            why = "is a link that another user made; remove it"
            raise PermissionError(errno.EPERM, why, str(path)) from None
    return os.open(path, _FLAGS, _FILE_MODE)
