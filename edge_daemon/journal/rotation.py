"""Names of the journal's files, and the bound on what they take together.

`journal.jsonl` is written to; a full one is renamed to `journal-<number of its first line>.jsonl`,
so that names sort by age and `tail -F journal.jsonl` goes on with the new file. Any other name is
somebody else's and is left alone.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

from edge_daemon.journal.line import envelope
from edge_daemon.journal.linefile import LineFile
from edge_daemon.journal.salvage import is_unreadable, last_readable

log = logging.getLogger(__name__)

ACTIVE = "journal.jsonl"
OnUnreadable = Callable[[Path, OSError], None]
"""Told of a file of the journal that cannot be read in full, and why."""

_ROTATED = re.compile(r"journal-(\d{12,})\.jsonl")


def rotated(directory: Path) -> list[tuple[int, Path]]:
    """Return the rotated files, oldest first, each with the number in its name.

    Raises:
        OSError: the directory cannot be read.
    """
    with os.scandir(directory) as entries:
        found = [
            (int(match[1]), Path(entry.path))
            for entry in entries
            if (match := _ROTATED.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False)
        ]
    return sorted(found)


def log_unreadable(path: Path, error: OSError) -> None:
    """Say in the log that a file cannot be read in full."""
    log.warning("journal: %s: part of it cannot be read: %s", path, error)


def rotate(directory: Path, on_unreadable: OnUnreadable = log_unreadable) -> Path:
    """Rename the active file; a rotated file is never overwritten.

    Returns:
        Its new name.

    Raises:
        OSError: the file is gone, or the directory cannot be written.
    """
    active = directory / ACTIVE
    unreadable: OSError | None = None
    number: int | None = None
    try:
        number = _first_seq(active)
    except OSError as error:
        if not is_unreadable(error):
            raise
        unreadable = error
    if number is None:
        last = last_seq(directory, on_unreadable)
        number = 0 if last is None else last + 1
    taken = {each for each, _ in rotated(directory)}
    while number in taken:
        number += 1
    kept = active.rename(directory / f"journal-{number:012d}.jsonl")
    if unreadable is not None:
        on_unreadable(kept, unreadable)
    return kept


def prune(directory: Path, max_bytes: int) -> None:
    """Delete the oldest rotated files until those that stay take at most `max_bytes`.

    Raises:
        OSError: the directory cannot be read.
    """
    files = []
    for _, path in rotated(directory):
        try:
            files.append((path, path.stat().st_size))
        except FileNotFoundError:
            continue
    total = sum(size for _, size in files)
    for path, size in files:
        if total <= max_bytes:
            return
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("journal: cannot delete %s: %s", path, error)
        else:
            total -= size


def last_seq(directory: Path, on_unreadable: OnUnreadable = log_unreadable) -> int | None:
    """Return the number of the last line in the rotated files; None without any.

    Where the newest of them cannot be read to its end, it is the last that can be read there.

    Raises:
        OSError: they cannot be read, for another reason than bad blocks.
    """
    files = rotated(directory)
    if not files:
        return None
    number, path = files[-1]
    seq: int | None = None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            seq, unreadable = last_readable(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if not is_unreadable(error):
            raise
        unreadable = error
    if unreadable is not None:
        on_unreadable(path, unreadable)
    return number if seq is None else max(number, seq)


def set_aside(path: Path) -> Path:
    """Rename a file that is no journal, so that neither it nor the journal is lost."""
    number = 0
    while (aside := path.with_name(f"{path.name}.unreadable-{number}")).exists():
        number += 1
    path.rename(aside)
    return aside


def _first_seq(path: Path) -> int | None:
    with LineFile(path) as file:
        for _, raw in file.forwards():
            found = envelope(raw)
            if found is not None:
                return found.seq
    return None
