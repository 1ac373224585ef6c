"""Follows a file of JSON lines from outside, whatever happens to the file meanwhile."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        at_ns: CLOCK_MONOTONIC of the event where the line says it (`mono_ns`), else of the moment
            at which it was first seen.
        seen_ns: CLOCK_MONOTONIC of the moment at which it was first seen.
        fields: what it holds.
    """

    at_ns: int
    seen_ns: int
    fields: Fields

    @property
    def event(self) -> str:
        """What happened."""
        return str(self.fields.get("event", ""))

    def says(self, event: str, **fields: object) -> bool:
        """Return whether it is of this kind and has these values."""
        return self.event == event and all(
            self.fields.get(name) == value for name, value in fields.items()
        )


Wanted = Callable[[Line], bool]
"""Whether a line is one that is waited or looked for."""


class Follower:
    """Reads what is new in a file, by name, and remembers all of it.

    The file is opened anew at each look and never held: it may be truncated, replaced or deleted,
    and its file system unmounted. Only lines with their newline count, so that none is seen half
    written. What was read before the file was deleted is kept.

    Args:
        path: the file; it need not be there yet.

    Attributes:
        lines: all lines so far.
        torn: pieces that end with a newline and are no JSON object.
    """

    def __init__(self, path: Path) -> None:
        self.lines: list[Line] = []
        self.torn: list[bytes] = []
        self._path = path
        self._file: tuple[int, int] | None = None
        self._position = 0

    def look(self) -> None:
        """Take in what has been appended since the last look."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOATIME)
        except OSError:
            return
        try:
            status = os.fstat(fd)
            file = status.st_dev, status.st_ino
            if file != self._file or status.st_size < self._position:
                self._file, self._position = file, 0
            data = os.pread(fd, max(0, status.st_size - self._position), self._position)
        except OSError:
            return
        finally:
            os.close(fd)
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        seen_ns = time.monotonic_ns()
        for piece in whole.splitlines():
            self._take(piece, seen_ns)

    def rest(self) -> bytes:
        """Return what stands after the last newline: the torn end that a kill leaves."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return b""
        return data[data.rfind(b"\n") + 1 :]

    def _take(self, piece: bytes, seen_ns: int) -> None:
        try:
            fields = json.loads(piece)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            self.torn.append(piece)
            return
        at_ns = fields.get("mono_ns")
        self.lines.append(Line(at_ns if isinstance(at_ns, int) else seen_ns, seen_ns, fields))
