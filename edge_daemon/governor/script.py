"""Readings from a file in place of the board: a resource trace, for the demo and for tests.

A trace is JSON lines. Each row holds from `at_s` until the next row; a field that it does not name
keeps its value, and `null` is a value that is not known any more. A signal that no row names is
one that the board does not have.
"""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from edge_daemon.clock import Clock
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Celsius = Annotated[float, Meta(ge=-40.0, le=150.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Count = Annotated[int, Meta(ge=0)]

_SIGNALS = {
    "cpu": "cpu_foreign",
    "memory": "memory_available_mib",
    "temperature": "temperature_c",
    "battery": "battery_fraction",
    "throttle": "throttled",
}


_MAX_BYTES = 1 << 26


class TraceError(ValueError):
    """A resource trace cannot be used; the text names the file, the line and the remedy."""


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a trace; the fields are those of `Reading`.

    Attributes:
        at_s: seconds since the start of the trace.
        cpu_foreign: see `Reading`.
        cpu_own: see `Reading`.
        cpu_pressure: see `Reading`.
        cores: see `Reading`.
        memory_available_mib: see `Reading`.
        memory_pressure: see `Reading`.
        temperature_c: see `Reading`.
        temperature_zone: see `Reading`.
        temperature_limit_c: see `Reading`.
        temperature_critical_c: see `Reading`.
        battery_fraction: see `Reading`.
        on_mains: see `Reading`.
        power_w: see `Reading`.
        runtime_s: see `Reading`.
        cycle_ms: see `Reading`.
        cycle_tier: see `Reading`.
        cycles: see `Reading`.
        due: see `Reading`.
        late: see `Reading`.
        throttled: see `Reading`.
        failed: see `Reading`.
        failed_s: see `Reading`.
        sound: see `Reading`.
        picture: see `Reading`.
    """

    at_s: Annotated[float, Meta(ge=0.0, le=1e9)]
    cpu_foreign: Share | UnsetType | None = UNSET
    cpu_own: Share | UnsetType | None = UNSET
    cpu_pressure: Share | UnsetType | None = UNSET
    cores: Annotated[float, Meta(gt=0.0)] | UnsetType | None = UNSET
    memory_available_mib: NotNegative | UnsetType | None = UNSET
    memory_pressure: Share | UnsetType | None = UNSET
    temperature_c: Celsius | UnsetType | None = UNSET
    temperature_zone: str | UnsetType | None = UNSET
    temperature_limit_c: Celsius | UnsetType | None = UNSET
    temperature_critical_c: Celsius | UnsetType | None = UNSET
    battery_fraction: Share | UnsetType | None = UNSET
    on_mains: bool | UnsetType | None = UNSET
    power_w: NotNegative | UnsetType | None = UNSET
    runtime_s: NotNegative | UnsetType | None = UNSET
    cycle_ms: NotNegative | UnsetType | None = UNSET
    cycle_tier: Tier | UnsetType | None = UNSET
    cycles: Count | UnsetType = UNSET
    due: Count | UnsetType = UNSET
    late: Count | UnsetType = UNSET
    throttled: tuple[str, ...] | UnsetType = UNSET
    failed: dict[str, str] | UnsetType = UNSET
    failed_s: dict[str, NotNegative] | UnsetType = UNSET
    sound: bool | UnsetType | None = UNSET
    picture: bool | UnsetType | None = UNSET


class ScriptedProbes:
    """Stands in for `Probes`: the same `read`, from rows on a clock.

    The trace begins at the first reading, so that a slow start of the daemon skips nothing.

    Args:
        rows: as `read_trace` returns them.
        clock: any that never goes backwards.
        loop: begins again when the last row's time has come, which then only marks the end.
    """

    def __init__(self, rows: Sequence[Row], clock: Clock, *, loop: bool = False) -> None:
        self._clock = clock
        self._origin_ns: int | None = None
        self._readings = scripted(rows)
        self._starts_s = [row.at_s for row in rows]
        self._period_s = self._starts_s[-1] if loop else None
        if self._period_s == 0.0:
            raise TraceError("a trace that loops needs a second row, whose at_s is its length")

    def read(self) -> Reading:
        """Return the reading that holds now."""
        now_ns = self._clock()
        if self._origin_ns is None:
            self._origin_ns = now_ns
        at_s = (now_ns - self._origin_ns) / 1e9
        if self._period_s is not None:
            at_s %= self._period_s
        reading = self._readings[bisect_right(self._starts_s, at_s) - 1]
        return msgspec.structs.replace(reading, time_ns=now_ns)

    def prepare(self) -> None:
        """Do nothing: there is nothing slow to read."""

    def ignore_zones(self, types: tuple[str, ...]) -> None:
        """Do nothing: a trace has one temperature."""

    def close(self) -> None:
        """Do nothing: the file is closed already."""


def read_trace(path: Path) -> list[Row]:
    """Read and check a resource trace.

    Raises:
        TraceError: it cannot be read, or a line is wrong.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}; `governor.readings` names it") from None
    if len(text) > _MAX_BYTES:
        raise TraceError(f"{path}: larger than {_MAX_BYTES >> 20} MiB, so this is no trace")
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=Row)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise TraceError(f"{path}:{number}: {_explain(error)}") from None
        if not rows and row.at_s != 0:
            raise TraceError(f"{path}:{number}: at_s is {row.at_s:g}; the first row must be at 0")
        if rows and row.at_s <= rows[-1].at_s:
            raise TraceError(
                f"{path}:{number}: at_s is {row.at_s:g}, not after the row before "
                f"({rows[-1].at_s:g}); put the rows in the order of their times"
            )
        rows.append(row)
    if not rows:
        raise TraceError(f'{path}: has no rows; one is {{"at_s": 0, "cpu_foreign": 0.2}}')
    return rows


def _explain(error: Exception) -> str:
    """Return the decoder's complaint with the field's name in front and the choice of fields."""
    text, _, path = str(error).partition(" - at `$.")
    if path:
        text = f"{path.rstrip('`')}: {text}"
    if "unknown field" in text:
        text += f"; the fields are {', '.join(Row.__struct_fields__)}"
    elif not isinstance(error, msgspec.ValidationError):
        text += "; each line is one JSON object"
    return text


def scripted(rows: Sequence[Row]) -> list[Reading]:
    """Return what each row amounts to, with what it keeps from the rows before; all at time 0."""
    named = {
        field
        for row in rows
        for field in Row.__struct_fields__[1:]
        if getattr(row, field) is not UNSET
    }
    absent = tuple(signal for signal, field in _SIGNALS.items() if field not in named)
    readings: list[Reading] = []
    reading = Reading(time_ns=0, absent=absent)
    for row in rows:
        changes = {field: getattr(row, field) for field in named}
        given = {field: value for field, value in changes.items() if value is not UNSET}
        reading = msgspec.structs.replace(reading, **given)
        readings.append(reading)
    return readings
