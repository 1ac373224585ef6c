"""How things stand with the daemon, from the newest lines of its journal."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from edge_daemon.governor.decision import Decision
from edge_daemon.journal.events import Event, ReadingEvent, Start, Stop, TierChange
from edge_daemon.journal.reader import Line


class NothingToExplainError(Exception):
    """The journal does not say which tier runs."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the clocks say now.

    Attributes:
        wall_s: seconds since the epoch.
        mono_ns: CLOCK_MONOTONIC.
        boottime_ns: CLOCK_BOOTTIME.
        boot_id: the kernel's id of this boot.
    """

    wall_s: float
    mono_ns: int
    boottime_ns: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class Noted:
    """When a line was written.

    Attributes:
        wall_s: seconds since the epoch, as the clock stood then.
        mono_ns: CLOCK_MONOTONIC, comparable within a boot.
        boot_id: which.
        boottime_ns: CLOCK_BOOTTIME; None where no reading stands in the line.
    """

    wall_s: float
    mono_ns: int
    boot_id: str
    boottime_ns: int | None = None


@dataclass(slots=True)
class Present:
    """The newest lines of the newest run; None where there is none.

    Attributes:
        newest: when the newest line of all was written.
        start: the run's first line; None too where it was not needed.
        started: when that was written.
        change: the newest tier change.
        changed: when that was written.
        reading: the newest reading.
        read: when that was written.
        explains: whether that carries what was decided; an earlier version's does not.
        stop: the run's last line.
    """

    newest: Noted
    start: Start | None = None
    started: Noted | None = None
    change: TierChange | None = None
    changed: Noted | None = None
    reading: ReadingEvent | None = None
    read: Noted | None = None
    explains: bool = False
    stop: Stop | None = None

    @property
    def decision(self) -> Decision | None:
        """The newest decision; None where it is not known."""
        return None if self.reading is None else self.reading.decision

    @property
    def virtual(self) -> bool:
        """Whether the run's clock was a virtual one, of a replay in lockstep.

        It stands still while a reading is taken, which a real one does not.
        """
        read, changed = self.read, self.changed
        return any(
            noted is not None and noted.boottime_ns == noted.mono_ns for noted in (read, changed)
        )

    @property
    def pinned(self) -> bool:
        """Whether the tier is pinned."""
        change, start = self.change, self.start
        if self.decision is not None:
            return False
        if change is not None:
            # Without a decision later than a change, a tier was pinned that ran already.
            return change.rule == "pinned" or (self.explains and self._read_after_change)
        return start is not None and start.pinned

    @property
    def _read_after_change(self) -> bool:
        read, changed = self.read, self.changed
        return read is not None and changed is not None and read.mono_ns > changed.mono_ns


def present(lines: Iterable[Line]) -> Present:
    """Return how things stand.

    Args:
        lines: of a journal, from the newest back; read only as far as they are needed.

    Raises:
        NothingToExplainError: there is no line that says which tier runs.
    """
    found: Present | None = None
    for line in lines:
        noted = _noted(line)
        if noted is None:
            continue
        if found is None:
            found = Present(noted)
        if noted.boot_id != found.newest.boot_id:
            break  # the lines of another boot belong to another run
        event = _typed(line)
        if isinstance(event, Start):
            found.start, found.started = event, noted
            break
        if isinstance(event, Stop):
            if found.stop is not None or found.reading is not None or found.change is not None:
                break  # of the run before, whose start and end are lost
            found.stop = event
        elif isinstance(event, ReadingEvent) and found.reading is None:
            found.reading = event
            found.read = replace(noted, boottime_ns=event.reading.time_ns)
            found.explains = "decision" in line.fields
        elif isinstance(event, TierChange) and found.change is None:
            found.change, found.changed = event, noted
            if event.reading is not None:
                since_ns = noted.mono_ns - event.decided_mono_ns
                found.changed = replace(noted, boottime_ns=event.reading.time_ns + since_ns)
        if found.reading is not None and found.change is not None:
            break
    if found is None or (found.start, found.change, found.reading) == (None, None, None):
        raise NothingToExplainError("holds no line that says which tier runs")
    return found


def _typed(line: Line) -> Event | None:
    if line.event not in ("start", "stop", "reading", "tier_change"):
        return None
    try:
        return line.typed()
    except msgspec.ValidationError:
        return None


def _noted(line: Line) -> Noted | None:
    mono_ns, boot_id = line.fields.get("mono_ns"), line.fields.get("boot_id")
    if not isinstance(mono_ns, int) or not isinstance(boot_id, str):
        return None
    try:
        wall_s = datetime.fromisoformat(str(line.fields.get("ts"))).timestamp()
    except (ValueError, OverflowError):
        return None
    return Noted(wall_s, mono_ns, boot_id)
