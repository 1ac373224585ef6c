"""Follows a file of JSON lines from outside, whatever happens to the file meanwhile."""

import json
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
        fields: what it holds.
    """

    at_ns: int
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
    written. What was read of a file that is gone is kept.

    Args:
        path: the file; it need not be there yet.

    Attributes:
        lines: all that were ever seen.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._known: set[bytes] = set()
        self._position = 0
        self._last = b""

    def look(self) -> None:
        """Take in what has been appended since the last look."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._position - len(self._last))
                if file.read(len(self._last)) != self._last:
                    file.seek(0)  # another file, or the same one after a loss
                    self._position = 0
                data = file.read()
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        seen_ns = time.monotonic_ns()
        for piece in whole.splitlines(keepends=True):
            self._last = piece
            line = parse(piece, seen_ns)
            if line is not None and piece not in self._known:
                self._known.add(piece)
                self.lines.append(line)


def read_file(path: Path) -> tuple[list[Line], list[bytes]]:
    """Return what a file holds: its lines, and every piece that is no whole line."""
    try:
        data = path.read_bytes()
    except OSError:
        return [], []
    pieces = data.splitlines(keepends=True)
    lines = [(piece, parse(piece, 0)) for piece in pieces]
    whole = [line for piece, line in lines if line is not None]
    return whole, [piece for piece, line in lines if line is None]


def parse(piece: bytes, seen_ns: int) -> Line | None:
    """Return a line with its newline as a `Line`; None where it is torn or no JSON object."""
    try:
        fields = json.loads(piece) if piece.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    at_ns = fields.get("mono_ns")
    return Line(at_ns if isinstance(at_ns, int) else seen_ns, fields)
