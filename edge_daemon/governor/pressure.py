"""What each resource of a reading says about the tiers."""

import math
from collections.abc import Iterator
from typing import TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.governor.firmware import (
    DEFAULT_LIMIT_C,
    FREQUENCY_CAPPED,
    OVER_CURRENT,
    THROTTLED,
    UNDER_VOLTAGE,
)
from edge_daemon.governor.limits import Bands, Limits
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier

_SUBJECTS = {
    "cpu": "foreign CPU load",
    "memory": "available memory",
    "temperature": "distance to the thermal limit",
    "battery": "battery charge",
}
_FIELDS: dict[str, dict[str, object]] = {
    "cpu": {"cpu_foreign": None, "cpu_pressure": None, "due": 0},
    "memory": {"memory_available_mib": None, "memory_pressure": None},
    "temperature": {"temperature_c": None},
    "battery": {"battery_fraction": None, "on_mains": None, "runtime_s": None},
    "throttle": {"throttled": ()},
}
_SLOWED = (FREQUENCY_CAPPED, THROTTLED, OVER_CURRENT)


class Pressure(Struct, frozen=True):
    """One resource's value against its limits.

    Attributes:
        resource: `cpu`, `memory`, `temperature` or `battery`.
        value: in the unit of the bands; finite.
        bands: of `low`, `medium` and `high`.
        better: 1 where more is better, -1 where less is.
    """

    resource: str
    value: float
    bands: Bands
    better: int

    def margin(self, tier: Tier) -> float:
        """Return how far past the tier's `enter` the value is, in widths of the band.

        0 or more lets the tier in. Every value lets `critical` in.
        """
        if tier is Tier.CRITICAL:
            return math.inf
        band = self.bands[tier.rank - 1]
        return self.better * (self.value - band.enter) / abs(band.enter - band.leave)

    def bearable(self, tier: Tier) -> Tier:
        """Return the highest tier, from `tier` downwards, that the value does not drive out."""
        while tier is not Tier.CRITICAL:
            if self.better * (self.value - self.bands[tier.rank - 1].leave) > 0:
                break
            tier = TIERS[tier.rank - 1]
        return tier

    def says(self) -> str:
        """Return the value in words."""
        return f"{_SUBJECTS[self.resource]} is {self.unit(self.value)}"

    def unit(self, value: float) -> str:
        """Return a value of this resource with its unit."""
        if self.resource in ("cpu", "battery"):
            return f"{100 * value:.0f} %"
        return f"{value:.0f} MiB" if self.resource == "memory" else f"{value:.1f} °C"


class Alarm(Struct, frozen=True):
    """A hard limit that is broken: the daemon goes to `critical` without waiting.

    Attributes:
        resource: as in `Pressure`, or `power`.
        rule: the limit's name.
        reason: a sentence with its numbers.
        ends: what must come true for it to be over, in a clause.
    """

    resource: str
    rule: str
    reason: str
    ends: str = ""


def pressures(reading: Reading, limits: Limits) -> list[Pressure]:
    """Return what is known of each resource; one that is not known is left out."""
    found: list[Pressure] = []
    if _is_known(load := reading.cpu_foreign):
        found.append(Pressure("cpu", load, limits.cpu.bands, -1))
    if _is_known(available_mib := reading.memory_available_mib):
        found.append(Pressure("memory", available_mib, limits.memory.bands, 1))
    if _is_known(distance_c := _distance_c(reading, limits)):
        found.append(Pressure("temperature", distance_c, limits.temperature.bands, 1))
    if (charge := charge_pressure(reading, limits)) is not None:
        found.append(charge)
    return found


def charge_pressure(reading: Reading, limits: Limits) -> Pressure | None:
    """Return what is known of the charge; None on the mains, where it does not count."""
    charge = reading.battery_fraction
    if reading.on_mains is True or not _is_known(charge):
        return None
    return Pressure("battery", charge, limits.battery.bands, 1)


def without(reading: Reading, ignored: tuple[str, ...]) -> Reading:
    """Return the reading as of a board that does not have the signals named in `ignored`."""
    if not ignored:
        return reading
    blanks: dict[str, object] = {
        field: default for signal in ignored for field, default in _FIELDS.get(signal, {}).items()
    }
    failed = {name: error for name, error in reading.failed.items() if name not in ignored}
    absent = tuple(dict.fromkeys((*reading.absent, *ignored)))
    return replace(reading, **blanks, absent=absent, failed=failed)


def unknown(reading: Reading, limits: Limits) -> tuple[str, ...]:
    """Return the resources that this board has but whose value is not known now."""
    missing: list[str] = []
    absent = reading.absent
    if "cpu" not in absent and not _is_known(reading.cpu_foreign):
        missing.append("cpu")
    if "memory" not in absent and not _is_known(reading.memory_available_mib):
        missing.append("memory")
    if "temperature" not in absent and not _is_known(_distance_c(reading, limits)):
        missing.append("temperature")
    if "battery" not in absent and not _is_known(reading.battery_fraction):
        missing.append("battery")
    return tuple(missing)


def alarm(reading: Reading, limits: Limits) -> Alarm | None:
    """Return the first hard limit that the reading breaks, or None."""
    return next(alarms(reading, limits), None)


def alarms(reading: Reading, limits: Limits) -> Iterator[Alarm]:
    """Yield the hard limits that the reading breaks."""
    available_mib = reading.memory_available_mib
    if available_mib is not None and available_mib < limits.memory.reserve_mib:
        yield Alarm(
            "memory",
            "memory_reserve",
            f"available memory is {available_mib:.0f} MiB, below the reserve of "
            f"{limits.memory.reserve_mib:g} MiB",
            f"{limits.memory.reserve_mib:g} MiB of memory are available",
        )
    stalled = reading.memory_pressure
    if stalled is not None and stalled > limits.memory.stalled:
        yield Alarm(
            "memory",
            "memory_stalled",
            f"everything waits for memory {100 * stalled:.0f} % of the time, more than "
            f"{100 * limits.memory.stalled:.0f} %",
            f"everything waits for memory at most {100 * limits.memory.stalled:.0f} % of the time",
        )
    now_c, critical_c = reading.temperature_c, reading.temperature_critical_c
    margin_c = limits.temperature.critical_margin_c
    if now_c is not None and critical_c is not None and now_c >= critical_c - margin_c:
        zone = reading.temperature_zone or "the board"
        yield Alarm(
            "temperature",
            "temperature_critical",
            f"{zone} is at {now_c:.1f} °C, within {margin_c:g} °C of the {critical_c:g} °C where "
            "the board powers off",
            f"{zone} is below {critical_c - margin_c:g} °C",
        )
    if UNDER_VOLTAGE in reading.throttled:
        yield Alarm(
            "power",
            "under_voltage",
            "the firmware reports under-voltage",
            "the firmware no longer reports under-voltage",
        )


def slowed(reading: Reading) -> tuple[str, ...]:
    """Return the flags by which the firmware says that it slows the board now."""
    return tuple(flag for flag in reading.throttled if flag in _SLOWED)


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _distance_c(reading: Reading, limits: Limits) -> float | None:
    if reading.temperature_c is None:
        return None
    limit_c = limits.temperature.limit_c or reading.temperature_limit_c or DEFAULT_LIMIT_C
    return limit_c - reading.temperature_c
