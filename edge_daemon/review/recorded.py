"""The steps of a recording: each reading once, with the tier that was decided on it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge_daemon.governor.record import FORMAT, Header, Poll, decode_line, is_recording
from edge_daemon.governor.script import TraceError
from edge_daemon.review.trace import Begin, Moment, Step, Trace

_LINE_BYTES = 1 << 20
_NOT_DECIDED = ("", "pinned")


def recorded(path: Path, trace: Trace) -> Iterator[Step]:
    """Yield the steps of a recording, whose last line may be torn.

    Args:
        path: the file.
        trace: where lines that cannot be read are counted.

    Raises:
        TraceError: it cannot be read, or another version wrote it.
    """
    with path.open("rb") as file:
        while raw := file.readline(_LINE_BYTES):
            if not raw.strip():
                continue
            try:
                line = decode_line(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                if isinstance(error, msgspec.ValidationError) and _is_vital(raw):
                    raise TraceError(f"{path}: written by another version: {error}") from None
                trace.bad_lines += 1
                continue
            if isinstance(line, Poll):
                free = line.rule not in _NOT_DECIDED
                yield Moment(line.reading, 0, line.wall_ms, line.tier, line.rule, free)
            elif isinstance(line, Header):
                if line.format != FORMAT:
                    raise TraceError(
                        f"{path}: a recording of format {line.format}; this version reads {FORMAT}"
                    )
                about = f"edge-daemon {line.version} on {line.board}, {line.bundle}"
                yield Begin(about, line.board, line.bundle_sha256)
            else:
                yield line


def _is_vital(raw: bytes) -> bool:
    """Whether a line that cannot be understood is one without which no rerun is exact."""
    return is_recording(raw) or raw.startswith(b'{"line":"settings"')
