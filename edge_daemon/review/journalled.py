"""The readings of a journal: those of its `reading` and `tier_change` lines, in their order."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from edge_daemon.governor.script import TraceError
from edge_daemon.journal.events import ReadingEvent, Start, TierChange
from edge_daemon.journal.reader import BadLine, Line, read
from edge_daemon.review.trace import Begin, Moment, Step, Trace

_SUSPEND_NS = 1_000_000_000
# A tier_change is written when the tier is adopted, which may be some polls after its reading.
_LATE_LINES = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    """A moment, and the monotonic time of its line."""

    moment: Moment
    mono_ns: int

    @property
    def time_ns(self) -> int:
        return self.moment.reading.time_ns


def journalled(path: Path, trace: Trace) -> Iterator[Step]:
    """Yield the steps of a journal's runs; each reading holds until the next one of its run.

    A stretch in which the board was suspended is nobody's: the reading before it stands for
    itself alone.

    Args:
        path: a journal's directory or one of its files.
        trace: where lines that cannot be read are counted.

    Raises:
        TraceError: it cannot be read.
    """

    def bad(line: BadLine) -> None:
        del line
        trace.bad_lines += 1

    pending: list[_Seen] = []
    last: _Seen | None = None
    boot: object = None
    pinned = False
    newest_ns = 0
    try:
        for line in read(path, bad):
            if line.event != "start" and line.fields.get("boot_id") == boot:
                mono_ns = line.fields.get("mono_ns")
                newest_ns = mono_ns if isinstance(mono_ns, int) else newest_ns
            if line.event not in ("start", "reading", "tier_change"):
                continue
            try:
                event = line.typed()
            except msgspec.ValidationError:
                trace.bad_lines += 1
                continue
            begins = isinstance(event, Start) or line.fields.get("boot_id") != boot
            if begins:
                yield from _drained(last, pending, newest_ns)
                last, pending = None, []
                pinned = isinstance(event, Start) and event.pinned
                boot = line.fields.get("boot_id")
                yield _begin(event) if isinstance(event, Start) else Begin()
            if isinstance(event, TierChange):
                pinned = event.rule == "pinned"
            seen = _seen(line, event, pinned)
            if seen is None or (last is not None and seen.time_ns <= last.time_ns):
                continue
            if all(other.time_ns != seen.time_ns for other in pending):
                insort(pending, seen, key=lambda one: one.time_ns)
            if len(pending) > _LATE_LINES:
                if last is not None:
                    yield _held(last, pending[0])
                last = pending.pop(0)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from None
    yield from _drained(last, pending, newest_ns)


def _begin(start: Start) -> Begin:
    about = f"edge-daemon {start.version} on {start.board}, {start.bundle}"
    return Begin(about, start.board, start.bundle_sha256)


def _drained(last: _Seen | None, pending: list[_Seen], newest_ns: int) -> Iterator[Moment]:
    """Yield the moments that wait for one that follows; the last holds until the newest line."""
    for seen in pending:
        if last is not None:
            yield _held(last, seen)
        last = seen
    if last is not None:
        yield replace(last.moment, until_ns=last.time_ns + newest_ns - last.mono_ns)


def _held(seen: _Seen, following: _Seen) -> Moment:
    suspended_ns = (following.time_ns - seen.time_ns) - (following.mono_ns - seen.mono_ns)
    if suspended_ns > _SUSPEND_NS:
        return seen.moment
    return replace(seen.moment, until_ns=following.time_ns)


def _seen(line: Line, event: object, pinned: bool) -> _Seen | None:
    wall_ms, mono_ns = _wall_ms(line), line.fields.get("mono_ns")
    if not isinstance(mono_ns, int):
        return None
    if isinstance(event, ReadingEvent):
        decision = event.decision
        # A journal of an earlier version has no `decision` at all.
        free = not pinned if "decision" not in line.fields else decision is not None
        rule = "" if decision is None else decision.rule
        moment = Moment(event.reading, 0, wall_ms, event.tier, rule, free)
        return _Seen(moment, mono_ns)
    if isinstance(event, TierChange) and event.reading is not None:
        late_ns = mono_ns - event.decided_mono_ns
        if wall_ms is not None:
            wall_ms -= late_ns // 1_000_000
        free = event.rule != "pinned"
        moment = Moment(event.reading, 0, wall_ms, event.to, event.rule, free)
        return _Seen(moment, event.decided_mono_ns)
    return None


def _wall_ms(line: Line) -> int | None:
    try:
        return round(datetime.fromisoformat(str(line.fields.get("ts"))).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
