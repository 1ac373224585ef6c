"""Reading the journal, across its files in order: what is there, the last of it, what comes.

A line that is no line (torn, zeroed, edited) is reported and passed over, never raised. Only
lines that have their newline are taken from a running writer, so none is seen half written.
"""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec

from edge_daemon.journal.events import Event
from edge_daemon.journal.line import decode
from edge_daemon.journal.linefile import LineFile
from edge_daemon.journal.rotation import ACTIVE, rotated

_POLL_S = 0.25
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_parse = msgspec.json.Decoder(dict[str, object]).decode


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was read.

    Attributes:
        raw: its bytes, without the newline.
        fields: the envelope and the event's fields, as JSON has them.
        seq: its number.
        event: the kind of event.
    """

    raw: bytes
    fields: dict[str, object]
    seq: int
    event: str

    def typed(self) -> Event:
        """Return the event.

        Raises:
            msgspec.ValidationError: an event or a type that this version does not know.
        """
        return decode(self.raw)


@dataclass(frozen=True, slots=True)
class BadLine:
    """What stands where a line should be.

    Attributes:
        path: the file.
        offset: where it starts there, in bytes.
        raw: the bytes; of very many, the first.
        why: what is wrong.
    """

    path: Path
    offset: int
    raw: bytes
    why: str


OnBad = Callable[[BadLine], None]
Keep = Callable[[Line], bool]


def read(path: Path, on_bad: OnBad | None = None) -> Iterator[Line]:
    """Yield the lines of a file, or of all files of a directory from the oldest on.

    Raises:
        OSError: `path` does not exist or may not be read.
    """
    path.stat()
    active = LineFile.if_there(path / ACTIVE) if path.is_dir() else LineFile(path)
    # The active file is opened before the others are listed: rotated meanwhile, it is still read.
    for file in _older(path, active) if path.is_dir() else ():
        yield from _lines(file, on_bad, whole_file=True)
    if active is not None:
        with active:
            yield from _lines(active, on_bad, whole_file=True)


def newest_first(path: Path, on_bad: OnBad | None = None) -> Iterator[Line]:
    """Yield the whole lines of a file, or of all files of a directory, from the newest back.

    Raises:
        OSError: `path` does not exist or may not be read.
    """
    path.stat()
    active = LineFile.if_there(path / ACTIVE) if path.is_dir() else LineFile(path)
    older = _older(path, active, newest_first=True) if path.is_dir() else ()
    try:
        for file in chain(() if active is None else (active,), older):
            yield from _lines_back(file, on_bad)
    finally:
        if active is not None:
            active.close()


def follow(
    directory: Path,
    stop: threading.Event,
    *,
    count: int = 10,
    keep: Keep | None = None,
    on_bad: OnBad | None = None,
    poll_s: float = _POLL_S,
) -> Iterator[Line]:
    """Yield the last lines that are there, then every line as it comes, until `stop` is set.

    It goes on across rotation, truncation, deletion and recreation of the file or the directory,
    and waits for a directory that does not exist yet.

    Args:
        directory: of the journal.
        stop: ends it within `poll_s`; set from the start, only the last lines are read.
        count: how many of the lines that are there to begin with.
        keep: yields (and counts) only lines for which this is true.
        on_bad: told of what is no line.
        poll_s: how often to look, seconds.

    Raises:
        OSError: the files are there but may not be read.
    """
    reader = _Follower(directory, keep, on_bad)
    try:
        yield from reader.last(count)
        while not stop.is_set():
            yield from reader.fresh()
            stop.wait(poll_s)
    finally:
        reader.close()


class _Follower:
    """Where a reader stands: in which file, and after which line."""

    def __init__(self, directory: Path, keep: Keep | None, on_bad: OnBad | None) -> None:
        self._directory = directory
        self._keep = keep
        self._on_bad = on_bad
        self._seen = -1
        self._file = LineFile.if_there(directory / ACTIVE)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def last(self, count: int) -> list[Line]:
        """Return the last lines, oldest first, and stand behind them."""
        found: list[Line] = []
        active = () if self._file is None else (self._file,)
        for file in chain(active, _older(self._directory, self._file, newest_first=True)):
            for line in _lines_back(file, self._on_bad):
                self._seen = max(self._seen, line.seq)
                if len(found) == count:
                    return found[::-1]
                if self._keep is None or self._keep(line):
                    found.append(line)
        return found[::-1]

    def fresh(self) -> Iterator[Line]:
        """Yield what has come since."""
        # Whether there is a successor is asked first: what is then drained is complete.
        successor = self._successor()
        if self._file is not None:
            yield from self._take(self._file)
        if successor is None:
            return
        previous, self._file = self._file, successor
        for file in self._between(previous, successor):
            yield from self._take(file)
        if previous is not None:
            previous.close()
        yield from self._take(successor)

    def _take(self, file: LineFile) -> Iterator[Line]:
        for line in _lines(file, self._on_bad):
            self._seen = line.seq
            if self._keep is None or self._keep(line):
                yield line

    def _successor(self) -> LineFile | None:
        """Return the file that took the active one's name, if another did."""
        now = LineFile.if_there(self._directory / ACTIVE)
        if now is None or self._file is None or not now.same_as(self._file):
            return now
        now.close()
        self._file.rewind_if_truncated()
        return None

    def _between(self, previous: LineFile | None, successor: LineFile) -> Iterator[LineFile]:
        """Yield the files that were filled and rotated since we last looked."""
        first = _first_number(successor)
        if first is not None and first <= self._seen:
            self._seen = -1  # the numbers began anew: somebody deleted everything
        for file in _older(self._directory, successor, above=self._seen):
            if previous is None or not file.same_as(previous):
                yield file


def _older(
    directory: Path, active: LineFile | None, above: int = -1, newest_first: bool = False
) -> Iterator[LineFile]:
    """Open one rotated file after another, of those above number `above` and before `active`."""
    try:
        files = rotated(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    # Asked after the listing: if the active file has been rotated itself since it was opened, it
    # has a line, and what is listed behind it is newer. While it is empty nothing can be.
    before = None if active is None else _first_number(active)
    for number, path in reversed(files) if newest_first else files:
        if number <= above or (before is not None and number >= before):
            continue
        file = LineFile.if_there(path)
        if file is not None:
            with file:
                if active is None or not file.same_as(active):
                    yield file


def _first_number(file: LineFile) -> int | None:
    """Return the number of a file's first line; None where there is none that can be read."""
    try:
        raw = file.first()
    except OSError:  # a bad block
        return None
    line = None if raw is None else _line(file, 0, raw, None)
    return None if line is None else line.seq


def _lines(file: LineFile, on_bad: OnBad | None, whole_file: bool = False) -> Iterator[Line]:
    try:
        for offset, raw in file.forwards(whole_file):
            line = _line(file, offset, raw, on_bad)
            if line is not None:
                yield line
    except OSError as error:
        if on_bad is not None:
            on_bad(BadLine(file.path, file.position, b"", f"cannot be read: {error}"))


def _lines_back(file: LineFile, on_bad: OnBad | None) -> Iterator[Line]:
    offset = 0
    try:
        for offset, raw in file.backwards():
            line = _line(file, offset, raw, on_bad)
            if line is not None:
                yield line
    except OSError as error:
        if on_bad is not None:
            on_bad(BadLine(file.path, offset or file.position, b"", f"cannot be read: {error}"))


def _line(file: LineFile, offset: int, raw: bytes, on_bad: OnBad | None) -> Line | None:
    why = "neither `seq` nor `event` in it"
    try:
        fields = _parse(raw)
        seq, event = fields.get("seq"), fields.get("event")
        if _LONG_NUMBER.search(raw) and not _fits(fields):
            why = "a number in it is beyond 64 bits"
        elif type(seq) is int and type(event) is str:
            return Line(raw, fields, seq, event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = f"no JSON object: {error}"
    if on_bad is not None:
        on_bad(BadLine(file.path, offset, raw, why))
    return None


def _fits(value: object) -> bool:
    """Return whether all whole numbers fit into 64 bits: what is counted with them then does."""
    if isinstance(value, dict):
        return all(map(_fits, value.values()))
    if isinstance(value, list):
        return all(map(_fits, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63
