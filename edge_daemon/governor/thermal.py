"""How hot the board is, and how hot it may get."""

import errno
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.boards import board_limits, board_model
from edge_daemon.governor.firmware import DEFAULT_LIMIT_C
from edge_daemon.governor.kernelfile import KernelFile, int_of, text_of
from edge_daemon.governor.sensor import GONE
from edge_daemon.governor.zone import HOTTEST_C, Zone

# Zones that say nothing about the board's own heat: batteries and chargers, radios.
_EXCLUDED = re.compile(r"batt|^bat\d|charger|pmic|^test[_-]|^cv\d|wifi|wlan|modem", re.IGNORECASE)


class Heat(NamedTuple):
    """The zone that is nearest to its limit; degrees Celsius.

    Attributes:
        temperature_c: what it says.
        zone: its type.
        limit_c: where the board begins to slow down.
        critical_c: where it powers off.
        lost: the zones that should speak and do not, with their errors; None where all do.
    """

    temperature_c: float
    zone: str
    limit_c: float
    critical_c: float | None
    lost: str | None = None


class ThermalProbe:
    """The zone nearest to its limit, of those that show the board's own heat.

    A zone's limit is its lowest passive trip point; else what is known of the board's firmware;
    else 10 °C below its critical trip point; else another zone's passive trip point; else 80 °C.
    Trip points are read at each scan: they can be set while the board runs.

    Zones are known by `type`: their numbers change from boot to boot, and with their drivers. A
    zone that never gave a valid value is taken for switched off and asked again at the next scan
    only. One that did and fails is lost, and its last value counts for as long as `Hold` keeps it;
    but with EAGAIN, by which drivers say that the part has no power, it just does not count while
    others do.

    Args:
        root: the filesystem root.
        ignored: returns the types of zones to leave out; asked at each scan.
    """

    def __init__(self, root: Path, ignored: Callable[[], frozenset[str]] = frozenset) -> None:
        self._root = root
        self._ignored = ignored
        self._zones: dict[str, Zone] = {}
        self._one_went = False
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the board has a zone that counts."""
        return bool(self._zones)

    def scan(self) -> None:
        """Look again for zones; those known already keep what they know."""
        self._firmware_c = board_limits(board_model(self._root)).limit_c
        ignored = self._ignored()
        found = {zone.type: zone for zone in list_zones(self._root, ignored)}
        for name, old in self._zones.items():
            new = found.get(name)
            if new is not None:
                old.found_again(new)
                found[name] = old
                continue
            place = old.file.path.parent
            left_out = name.partition("#")[0] in ignored
            if old.seen and not left_out:  # lost, not absent
                found[name] = old
                if (place / "type").exists() and text_of(place / "type") is None:
                    continue  # nobody can say that it went
                # Its number may be another zone's by now.
                old.off = FileNotFoundError(errno.ENOENT, "gone", str(old.file.path))
            old.file.close()
        self._zones = found
        self._one_went = False
        passives = [zone.passive_c for zone in found.values() if zone.passive_c is not None]
        self._fallback_c = min(passives, default=DEFAULT_LIMIT_C)

    def read(self, now_ns: int) -> Heat:
        """Return the heat of the worst zone.

        Raises:
            OSError: no zone could be read.
            ValueError: no zone gave a temperature.
        """
        if self._one_went:
            self.scan()
        worst: Heat | None = None
        least_c = 0.0
        lost: list[str] = []
        error: OSError | ValueError | None = None
        for zone in self._zones.values():
            value_c, problem = self._follow(zone, now_ns)
            if problem is not None:
                error = error or problem
                if zone.seen and not _unpowered(problem):
                    lost.append(f"{zone.type}: {problem}")
            if value_c is None:
                continue
            limit_c = self._limit_c(zone)
            if worst is None or limit_c - value_c < least_c:
                least_c = limit_c - value_c
                worst = Heat(value_c, zone.type, limit_c, zone.critical_c)
        if worst is None:
            names = ", ".join(self._zones)
            raise error or ValueError(f"{names}: exactly 100 or 125 °C ever since the start")
        return worst._replace(lost="; ".join(lost)) if lost else worst

    def close(self) -> None:
        """Close the files."""
        for zone in self._zones.values():
            zone.file.close()

    def _follow(self, zone: Zone, now_ns: int) -> tuple[float | None, OSError | ValueError | None]:
        """Return a zone's value, or its last one, and what is wrong with it."""
        if zone.off is None:
            try:
                return zone.follow(now_ns), None
            except (OSError, ValueError) as problem:
                went = isinstance(problem, OSError) and problem.errno in GONE
                if zone.seen and not went:
                    return zone.held_c(now_ns), problem
                zone.off = problem
                self._one_went = self._one_went or (zone.seen and went)
        return zone.held_c(now_ns), zone.off

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
        zones.append(Zone(name, KernelFile(path / "temp", 64), *_trips(path)))
    return zones


def _zone_number(path: Path) -> int:
    digits = path.name.removeprefix("thermal_zone")
    return int(digits) if digits.isdigit() else 1 << 30


def _trips(path: Path) -> tuple[float | None, float | None, bool]:
    """Return the lowest passive and critical trip points, and whether all could be read.

    `trip_point_*_hyst` is where the kernel ends what the trip point began: no limit of its own.
    """
    lowest: dict[str, float] = {}
    known = True
    for file in path.glob("trip_point_*_type"):
        kind = text_of(file)
        raw = int_of(file.with_name(file.name.removesuffix("type") + "temp"))
        if kind is None or raw is None:
            known = False
        elif kind in ("passive", "critical"):
            value_c = raw / 1000 if abs(raw) > 200 else float(raw)
            if 40.0 <= value_c <= HOTTEST_C:  # 0 and -274 stand for "not set"
                lowest[kind] = min(value_c, lowest.get(kind, value_c))
    return lowest.get("passive"), lowest.get("critical"), known


def _unpowered(problem: OSError | ValueError) -> bool:
    return isinstance(problem, OSError) and problem.errno == errno.EAGAIN
