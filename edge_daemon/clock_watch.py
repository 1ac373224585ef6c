"""Notices a suspend of the board and a step of its wall clock, for whoever reads the journal."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from edge_daemon.clock import Clock, boottime_ns, monotonic_ns
from edge_daemon.journal.events import ClockEvent, Event

SUSPEND_S = 1.0
"""A shorter sleep is no news."""
STEP_S = 2.0
"""A smaller step is no news: a leap second, or what NTP sets right at a start. Slewing is none at
all, because the kernel slews CLOCK_MONOTONIC and CLOCK_BOOTTIME with the wall clock."""

_AT_ONCE_NS = 50_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Look(NamedTuple):
    """Three clocks at one moment, in nanoseconds."""

    mono_ns: int
    boot_ns: int
    wall_ns: int


class ClockWatch:
    """Compares the clocks whenever it is asked to, and writes what they say of the time between.

    CLOCK_BOOTTIME gains on CLOCK_MONOTONIC by what the board slept. What the wall clock gains on
    CLOCK_BOOTTIME somebody has set it by.

    Args:
        write: takes a line; neither blocks nor raises.
        mono: CLOCK_MONOTONIC.
        boot: CLOCK_BOOTTIME.
        wall: nanoseconds since 1970.
    """

    def __init__(
        self,
        write: Callable[[Event], None],
        *,
        mono: Clock = monotonic_ns,
        boot: Clock = boottime_ns,
        wall: Clock = time.time_ns,
    ) -> None:
        self._write = write
        self._mono = mono
        self._boot = boot
        self._wall = wall
        self._last: Look | None = None

    def check(self) -> None:
        """Look at the clocks. It costs four system calls that enter no kernel."""
        begun_ns = self._mono()
        look = Look(begun_ns, self._boot(), self._wall())
        if self._mono() - begun_ns > _AT_ONCE_NS:
            return  # the thread lost its core in between: the three are of different moments
        if self._last is not None:
            for event in changes(self._last, look):
                self._write(event)
        self._last = look


def changes(before: Look, after: Look) -> list[ClockEvent]:
    """Return what happened to the clocks between two looks: a suspend, a step, both or nothing."""
    awake_ns = after.mono_ns - before.mono_ns
    passed_ns = after.boot_ns - before.boot_ns
    expected_ns = before.wall_ns + passed_ns
    slept_ns, stepped_ns = passed_ns - awake_ns, after.wall_ns - expected_ns
    found = []
    if slept_ns >= SUSPEND_S * 1e9:
        found.append(_event("suspend", expected_ns - slept_ns, expected_ns))
    if abs(stepped_ns) >= STEP_S * 1e9:
        found.append(_event("step", expected_ns, after.wall_ns))
    return found


def _event(change: str, from_ns: int, to_ns: int) -> ClockEvent:
    by_s = round((to_ns - from_ns) / 1e9, 3)
    return ClockEvent(change=change, by_s=by_s, from_=_text(from_ns), to=_text(to_ns))


def _text(wall_ns: int) -> str:
    """Return a time in the form of `ts`; the kernel lets nobody set one that has no year."""
    moment = _EPOCH + timedelta(microseconds=wall_ns // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
