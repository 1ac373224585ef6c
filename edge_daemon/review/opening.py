"""Opens a trace by what is in it.

Three kinds: a recording (`run --record`), which has every reading; a journal, which has one now
and then, each of which holds until the next; and a script, which has no decisions to compare with.
All but the script are read as a stream.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge_daemon.governor.record import is_recording
from edge_daemon.governor.script import TraceError, read_trace, scripted
from edge_daemon.review.journalled import journalled
from edge_daemon.review.recorded import recorded
from edge_daemon.review.trace import Begin, Moment, Step, Trace

_LINE_BYTES = 1 << 20
_FIRST_LINES = 100
_LAST_ROW_S = 60.0


def open_trace(path: Path) -> Trace:
    """Open a recording, a journal (its directory or one of its files) or a script.

    Raises:
        TraceError: it is none of these, or cannot be read.
    """
    try:
        kind = "journal" if path.is_dir() else _kind(path)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from None
    trace = Trace("recording")
    if kind == "recording":
        trace.steps = recorded(path, trace)
    elif kind == "journal":
        trace = Trace("journal")
        trace.steps = journalled(path, trace)
    else:
        trace = Trace("script", _scripted(path))
    return trace


def _kind(path: Path) -> str:
    """Return what a file is by its first line that is JSON."""
    with path.open("rb") as file:
        for _ in range(_FIRST_LINES):
            line = file.readline(_LINE_BYTES)
            if is_recording(line):
                return "recording"
            try:
                fields = msgspec.json.decode(line, type=dict[str, object])
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if "event" in fields and "seq" in fields:
                return "journal"
            if "at_s" in fields:
                return "script"
    raise TraceError(
        f"{path}: neither a recording (`edge-daemon run --record`), nor a journal, nor a scripted "
        "trace"
    )


def _scripted(path: Path) -> Iterator[Step]:
    rows = read_trace(path)
    starts_ns = [round(row.at_s * 1e9) for row in rows]
    ends_ns = [*starts_ns[1:], starts_ns[-1] + round(_LAST_ROW_S * 1e9)]
    yield Begin()
    for reading, start_ns, end_ns in zip(scripted(rows), starts_ns, ends_ns, strict=True):
        yield Moment(msgspec.structs.replace(reading, time_ns=start_ns), end_ns)
