"""One signal of the board: its probe, when its files are looked for, and what it last said."""

import errno
import logging
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from edge_daemon.governor.hold import HOLD_S, Hold

Value_co = TypeVar("Value_co", covariant=True)
Value = TypeVar("Value")

log = logging.getLogger(__name__)

SCAN_S = 60.0
"""How often files that came or went are looked for."""

RETRY_SCAN_S = 5.0
"""The same while the sensor fails: its driver may have come back under another number."""

_SCAN_NS, _RETRY_SCAN_NS = int(SCAN_S * 1e9), int(RETRY_SCAN_S * 1e9)

GONE = (errno.ENODEV, errno.ENOENT, errno.ENXIO)
"""Errors of a device that is not there any more."""


class Probe(Protocol[Value_co]):
    """What reads one signal."""

    @property
    def present(self) -> bool:
        """Whether this board has it."""

    def scan(self) -> None:
        """Look again for its files."""

    def read(self, now_ns: int) -> Value_co | None:
        """Return its value, None where there is none this time; raises OSError, ValueError."""

    def close(self) -> None:
        """Close its files."""


class Seen(Struct, Generic[Value], frozen=True):
    """What one look at a sensor found.

    Attributes:
        time_ns: CLOCK_BOOTTIME of the look.
        value: beside an error, the last good one while it is young enough; None where nothing is
            known.
        absent: whether the board does not have this signal.
        error: why it, or a part of it, could not be read; None where all went well.
        good_ns: the last look without an error; the first look where there was none.
    """

    time_ns: int
    value: Value | None
    absent: bool
    error: str | None
    good_ns: int


def nothing_wrong(value: object) -> str | None:
    """Return None: the value has no part that can fail by itself."""
    del value
    return None


class Sensor(Generic[Value]):
    """A probe that is made at the first look, because the search for its files may hang too.

    Used by one thread at a time; `scan_soon` and `seen` alone are for any.

    Args:
        name: the signal's name in the reading.
        make: makes the probe.
        hold_s: how long the last good value stands in for one that cannot be read.
        error_in: what is wrong with a part of a value.

    Attributes:
        seen: what the last look found, published as a whole; None before the first.
        scan_soon: set to have the files looked for at the next look.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Probe[Value]],
        hold_s: float = HOLD_S,
        error_in: Callable[[Value], str | None] = nothing_wrong,
    ) -> None:
        self.name = name
        self._make = make
        self._error_in = error_in
        self._probe: Probe[Value] | None = None
        self._hold: Hold[Value] = Hold(hold_s)
        self._scanned_ns: int | None = None
        self._failing = False
        self._good_ns: int | None = None
        self.scan_soon = False
        self.seen: Seen[Value] | None = None

    def look(self, now_ns: int) -> Seen[Value]:
        """Return what the sensor says now; never raises."""
        value, error = None, None
        try:
            probe = self._probe
            if probe is None or self._scan_due(now_ns):
                probe = self._scanned(now_ns)
            if not probe.present:
                self._failing, self._good_ns = False, None
                return Seen(now_ns, None, True, None, now_ns)
            value = probe.read(now_ns)
        except (OSError, ValueError, OverflowError) as problem:  # the last: digits without end
            value, error = self._hold.value(now_ns), str(problem)
            if isinstance(problem, OSError) and problem.errno in GONE and not self._failing:
                self.scan_soon = True
        else:
            if value is not None:
                self._hold.keep(value, now_ns)
                error = self._error_in(value)
        self._failing = error is not None
        if error is None or self._good_ns is None:
            self._good_ns = now_ns
        return Seen(now_ns, value, False, error, self._good_ns)

    def close(self) -> None:
        """Close the files; a later look opens them again."""
        if self._probe is not None:
            self._probe.close()

    def _scanned(self, now_ns: int) -> Probe[Value]:
        """Return the probe, made anew or with its files looked for again."""
        if self._probe is None:
            self._probe = self._make()
        else:
            self.scan_soon = False
            self._scanned_ns = None  # until it has ended
            try:
                self._probe.scan()
            except OSError as error:  # a directory that vanished while it was listed
                log.warning("%s: its files could not be looked for: %s", self.name, error)
        self._scanned_ns = now_ns
        return self._probe

    def _scan_due(self, now_ns: int) -> bool:
        if self.scan_soon or self._scanned_ns is None:
            return True
        period_ns = _RETRY_SCAN_NS if self._failing else _SCAN_NS
        return not 0 <= now_ns - self._scanned_ns < period_ns
