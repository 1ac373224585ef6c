"""How hot the board is, and how hot it may get."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.boards import board_limits, board_model
from edge_daemon.governor.hold import Hold
from edge_daemon.governor.kernelfile import KernelFile, int_of, text_of

DEFAULT_LIMIT_C = 80.0
"""Where neither a trip point nor the board's firmware names a limit."""

# Zones that say nothing about the board's own heat: batteries and chargers, radios.
_EXCLUDED = re.compile(r"batt|^bat\d|charger|pmic|^test[_-]|^cv\d|wifi|wlan|modem", re.IGNORECASE)

_PARKED_C = (100.0, 125.0)
_COLDEST_C = -40.0
_HOTTEST_C = 150.0


class Heat(NamedTuple):
    """The zone that is nearest to its limit; degrees Celsius."""

    temperature_c: float
    zone: str
    limit_c: float
    critical_c: float | None


@dataclass(slots=True)
class Zone:
    """One thermal zone of docs.kernel.org/driver-api/thermal/sysfs-api.html.

    Attributes:
        type: its `type`, with `#2`, `#3`, ... where several have the same.
        file: its `temp`.
        passive_c: the lowest passive trip point, where the kernel begins to slow the board.
        critical_c: the critical trip point, where it powers off.
        hold: its last good value.
        seen: whether it ever gave one.
        off: why it is taken for switched off, until the next scan.
    """

    type: str
    file: KernelFile
    passive_c: float | None
    critical_c: float | None
    hold: Hold[float] = field(default_factory=Hold)
    seen: bool = False
    off: OSError | ValueError | None = None
    _milli: bool = False
    _parked_c: float | None = None

    def read(self) -> float | None:
        """Return the temperature; None while it stands where a sensor that is off is parked.

        Raises:
            OSError: the zone cannot be read.
            ValueError: what it says cannot be a temperature of a running board.
        """
        raw = self.file.read_int()
        # Millidegrees by the kernel's rules, but some drivers give degrees: a zone that ever
        # said more than 200 cannot have meant those.
        self._milli = self._milli or abs(raw) > 200
        value_c = raw / 1000 if self._milli else float(raw)
        if not _COLDEST_C <= value_c <= _HOTTEST_C or raw == 0:
            raise ValueError(f"{self.file.path} says {raw}: not a temperature")
        if not self.seen and value_c in _PARKED_C and self._parked_c in (None, value_c):
            self._parked_c = value_c
            return None
        self.seen = True
        return value_c


class ThermalProbe:
    """The zone nearest to its limit, of those that show the board's own heat.

    A zone's limit is its passive trip point; else what is known of the board's firmware; else 10
    °C below its critical trip point; else another zone's passive trip point; else 80 °C.

    Zones are known by `type`: their numbers change from boot to boot. A zone that never gave a
    valid value is taken for switched off and asked again at the next scan only, because such a
    read may take seconds; one that did and fails is `lost`, and its last value counts for as long
    as `Hold` keeps it.

    Args:
        root: the filesystem root.
        ignored: types of zones to leave out.

    Attributes:
        ignored: the same; a change counts from the next scan on.
        lost: the zones that failed at the last reading, with their errors.
    """

    def __init__(self, root: Path, ignored: tuple[str, ...] = ()) -> None:
        self._root = root
        self.ignored = frozenset(ignored)
        self._zones: dict[str, Zone] = {}
        self.lost: str | None = None
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the board has a zone that counts."""
        return bool(self._zones)

    def scan(self) -> None:
        """Look again for zones; those known already keep what they know."""
        self._firmware_c = board_limits(board_model(self._root)).limit_c
        found = {zone.type: zone for zone in list_zones(self._root, self.ignored)}
        for name, old in self._zones.items():
            new = found.get(name)
            old.off = None
            if new is not None and new.file.path == old.file.path:
                found[name] = old
                continue
            old.file.close()
            if new is not None:
                old.file = new.file
            gone = new is None and name.partition("#")[0] not in self.ignored
            if new is not None or (gone and old.seen):
                found[name] = old  # a zone that went away is lost, not absent
        self._zones = found
        passives = [zone.passive_c for zone in found.values() if zone.passive_c is not None]
        self._fallback_c = min(passives, default=DEFAULT_LIMIT_C)

    def read(self, now_ns: int) -> Heat:
        """Return the heat of the worst zone.

        Raises:
            OSError: no zone could be read.
            ValueError: no zone gave a temperature.
        """
        worst: Heat | None = None
        least_c = 0.0
        lost: list[str] = []
        error: OSError | ValueError | None = None
        for zone in self._zones.values():
            if zone.off is not None:
                error = error or zone.off
                continue
            try:
                value_c = zone.read()
            except (OSError, ValueError) as problem:
                error = error or problem
                if not zone.seen:
                    zone.off = problem
                    continue
                lost.append(f"{zone.type}: {problem}")
                value_c = zone.hold.value(now_ns)
            else:
                if value_c is not None:
                    zone.hold.keep(value_c, now_ns)
            if value_c is None:
                continue
            limit_c = self._limit_c(zone)
            if worst is None or limit_c - value_c < least_c:
                least_c = limit_c - value_c
                worst = Heat(value_c, zone.type, limit_c, zone.critical_c)
        self.lost = "; ".join(lost) or None
        if worst is None:
            names = ", ".join(self._zones)
            raise error or ValueError(f"{names}: exactly 100 or 125 °C ever since the start")
        return worst

    def close(self) -> None:
        """Close the files."""
        for zone in self._zones.values():
            zone.file.close()

    def _limit_c(self, zone: Zone) -> float:
        if zone.passive_c is not None:
            return zone.passive_c
        if self._firmware_c is not None:
            return self._firmware_c
        if zone.critical_c is not None:
            return zone.critical_c - 10.0
        return self._fallback_c


def list_zones(root: Path, ignored: frozenset[str] = frozenset()) -> list[Zone]:
    """Return the board's zones in order of their numbers, less those that do not count.

    Args:
        root: the filesystem root.
        ignored: further types to leave out.
    """
    supplies = {path.name for path in (root / "sys/class/power_supply").glob("*")}
    ignored |= board_limits(board_model(root)).ignored_zones
    zones: list[Zone] = []
    counts: dict[str, int] = {}
    for path in sorted((root / "sys/class/thermal").glob("thermal_zone*"), key=_zone_number):
        kind = text_of(path / "type")
        # A power supply that knows its temperature registers a zone under its own name.
        if kind is None or kind in ignored or kind in supplies or _EXCLUDED.search(kind):
            continue
        counts[kind] = counts.get(kind, 0) + 1
        name = kind if counts[kind] == 1 else f"{kind}#{counts[kind]}"
        passive_c, critical_c = _trips_c(path)
        zones.append(Zone(name, KernelFile(path / "temp", 64), passive_c, critical_c))
    return zones


def _zone_number(path: Path) -> int:
    digits = path.name.removeprefix("thermal_zone")
    return int(digits) if digits.isdigit() else 1 << 30


def _trips_c(path: Path) -> tuple[float | None, float | None]:
    """Return the lowest passive and the lowest critical trip point that make sense."""
    lowest: dict[str, float] = {}
    for file in path.glob("trip_point_*_type"):
        kind = text_of(file)
        raw = int_of(file.with_name(file.name.removesuffix("type") + "temp"))
        if kind not in ("passive", "critical") or raw is None:
            continue
        value_c = raw / 1000 if abs(raw) > 200 else float(raw)
        if 40.0 <= value_c <= _HOTTEST_C:  # 0 and -274 stand for "not set"
            lowest[kind] = min(value_c, lowest.get(kind, value_c))
    return lowest.get("passive"), lowest.get("critical")
