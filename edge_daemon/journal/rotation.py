"""Names of the journal's files, and the bound on what they take together.

`journal.jsonl` is written to; a full one is renamed to `journal-<number of its first line>.jsonl`,
so that names sort by age and `tail -F journal.jsonl` goes on with the new file. Any other name is
somebody else's and is left alone.
"""

import logging
import os
import re
from pathlib import Path

from edge_daemon.journal.line import MAX_LINE_BYTES, envelope
from edge_daemon.journal.repair import inspect

log = logging.getLogger(__name__)

ACTIVE = "journal.jsonl"
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


def rotate(directory: Path) -> None:
    """Rename the active file; a rotated file is never overwritten.

    Raises:
        OSError: the file is gone, or the directory cannot be written.
    """
    active = directory / ACTIVE
    number = _first_seq(active)
    taken = {each for each, _ in rotated(directory)}
    if number is None:
        number = max(taken, default=-1) + 1
    while number in taken:
        number += 1
    active.rename(directory / f"journal-{number:012d}.jsonl")


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


def last_seq(directory: Path) -> int | None:
    """Return the number of the last line in the rotated files; None without any.

    Raises:
        OSError: they cannot be read.
    """
    files = rotated(directory)
    if not files:
        return None
    number, path = files[-1]
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        seq = inspect(fd).seq
    finally:
        os.close(fd)
    return number if seq is None else max(number, seq)


def set_aside(path: Path) -> Path:
    """Rename a file that is no journal, so that neither it nor the journal is lost."""
    number = 0
    while (aside := path.with_name(f"{path.name}.unreadable-{number}")).exists():
        number += 1
    path.rename(aside)
    return aside


def _first_seq(path: Path) -> int | None:
    with path.open("rb") as file:
        while raw := file.readline(MAX_LINE_BYTES):
            found = envelope(raw)
            if found is not None:
                return found.seq
    return None
