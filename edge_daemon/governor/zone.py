"""One thermal zone: in which unit it speaks, and which of its values are believed."""

from dataclasses import dataclass, field

from edge_daemon.governor.hold import Hold
from edge_daemon.governor.kernelfile import KernelFile

STEEPEST_C_PER_S = 15.0
"""A board's zone warms and cools more slowly than this, but for a core that starts or ends to work:
that shows in the next readings as well."""

CONFIRMED = 3
"""Readings in a row by which an unlikely one is believed."""

COLDEST_C = -40.0
HOTTEST_C = 150.0

_PARKED_C = (100.0, 125.0)

# Some drivers give degrees, where the kernel's rule is millidegrees: nothing is this hot.
_DEGREES = 200


@dataclass(slots=True)
class Zone:
    """One thermal zone (docs.kernel.org/driver-api/thermal/sysfs-api.html).

    What a broken sensor says is refused: 0, which many drivers give for "cannot read", what lies
    beyond -40 and 150 °C (the Pi's firmware is known for -650788984), and 100.0 or 125.0 to the
    digit for as long as the zone never said anything else, where sensors that are off are parked.

    A sensor that is stuck at an ordinary value cannot be told from a coarse one: zones of half a
    degree rest at one value for hours on a board whose load changes little, and some ACPI zones
    never move. There is no test for it; a throttle flag or windows that take longer than expected
    show what it hides.

    Attributes:
        type: its `type`, with `#2`, `#3`, ... where several have the same.
        file: its `temp`.
        passive_c: the lowest passive trip point, where the kernel begins to slow the board.
        critical_c: the critical trip point, where it powers off.
        trips_known: whether all trip points could be read.
        seen: whether it ever gave a value.
        off: why it is not asked until the next scan: it is switched off, or gone.
    """

    type: str
    file: KernelFile
    passive_c: float | None
    critical_c: float | None
    trips_known: bool = True
    seen: bool = False
    off: OSError | ValueError | None = None
    _milli: bool | None = None
    _beyond: int = 0
    _parked_c: float | None = None
    _last: tuple[float, int] | None = None
    _doubted_c: list[float] = field(default_factory=list)
    _hold: Hold[float] = field(default_factory=Hold)

    def read(self) -> float | None:
        """Return the temperature; None while it stands where a sensor that is off is parked.

        Raises:
            OSError: the zone cannot be read.
            ValueError: what it says cannot be a temperature of a running board.
        """
        raw = self.file.read_int()
        value_c = self._celsius(raw)
        if value_c is None or raw == 0:
            raise ValueError(f"{self.file.path} says {raw}: not a temperature")
        if not self.seen and value_c in _PARKED_C and self._parked_c in (None, value_c):
            self._parked_c = value_c
            return None
        self.seen = True
        return value_c

    def follow(self, now_ns: int) -> float | None:
        """Return the temperature to go by; None while the zone is parked.

        A change that is too steep is believed when `CONFIRMED` readings in a row show it, by the
        hottest of them; until then the last temperature counts, for as long as a `Hold` keeps it.

        Args:
            now_ns: CLOCK_BOOTTIME.

        Raises:
            OSError: as `read`.
            ValueError: as `read`; or its values are unlikely and too rare to be confirmed.
        """
        value_c = self.read()
        if value_c is None:
            return None
        if self._last is not None and not self._likely(value_c, *self._last, now_ns):
            before_c = self._last[0]
            if self._doubted_c and (self._doubted_c[-1] > before_c) is not (value_c > before_c):
                self._doubted_c.clear()
            self._doubted_c.append(value_c)
            if len(self._doubted_c) < CONFIRMED:
                held_c = self._hold.value(now_ns)
                if held_c is None:
                    raise ValueError(
                        f"{self.file.path} says {value_c:g} °C after {before_c:g} °C: too steep "
                        "to be believed yet"
                    )
                return held_c
            value_c = max(self._doubted_c)
        self._doubted_c.clear()
        self._last = value_c, now_ns
        self._hold.keep(value_c, now_ns)
        return value_c

    def held_c(self, now_ns: int) -> float | None:
        """Return the last temperature that was believed, while it is young enough."""
        return self._hold.value(now_ns)

    def found_again(self, found: "Zone") -> None:
        """Take over what a scan found: the number may be another one, and the trip points."""
        self.off = None
        if found.file.path != self.file.path:
            self.file.close()
            self.file = found.file
        if found.trips_known:
            self.passive_c, self.critical_c = found.passive_c, found.critical_c

    @staticmethod
    def _likely(value_c: float, before_c: float, before_ns: int, now_ns: int) -> bool:
        span_s = max(1.0, (now_ns - before_ns) / 1e9)  # sensors of whole degrees jump
        return abs(value_c - before_c) <= STEEPEST_C_PER_S * span_s

    def _celsius(self, raw: int) -> float | None:
        """Return degrees, by the unit that was decided on the first temperature; None for others.

        One that spoke in degrees and says much more, again and again, was near 0 °C at first.
        """
        milli = self._milli
        if abs(raw) <= _DEGREES:
            milli, self._beyond = bool(milli), 0
        elif not milli:
            self._beyond += 1
            milli = milli is None or self._beyond >= CONFIRMED
        value_c = raw / 1000 if milli else float(raw)
        if not COLDEST_C <= value_c <= HOTTEST_C:
            return None
        if raw != 0:
            self._milli = milli
        return value_c
