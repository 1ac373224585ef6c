"""Traces of the user's own: a table of what surrounds the board, or a recording of the daemon.

A table (CSV with a line of names, or JSON lines) has the columns of `Row`. Each row holds until
the next one. `cpu_foreign` may be above 1, and `memory_available_mib` is what would be available
if the daemon did not run at all.

A recording (`edge-daemon run --record`) or a journal has readings taken while the daemon ran, so
that its own effect must be taken off again:

- foreign load is without the daemon's own already; where firmware slowed the board it is a share
  of a slower one, and is multiplied with the clock. Where the cores were full it is only a lower
  bound of what others asked for, and what waited is unknown: pressure raises it to at least 1.
- the memory of the tier that ran is added to what was available.
- the temperature of the surroundings is what is left of the measured one when the rise that the
  total load explains, by the simulated board's own gains and time constants, is taken off.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier
from tools.simulation.board import Board
from tools.simulation.heat import Heat, Warming
from tools.simulation.kinds import STEP_S
from tools.simulation.trace import Trace

LONGEST_S = 12 * 3600.0
_WAITING = 0.5  # pressure above which full cores are taken for asked for more than they give


class RecordingError(ValueError):
    """A trace cannot be used; the text names the file, the line and the remedy."""


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of a table.

    Attributes:
        at_s: seconds since the start; the first is 0.
        cpu_foreign: what others would keep busy at full clock, as a share of all cores.
        memory_available_mib: what would be available without the daemon; null is plenty.
        ambient_c: temperature of the surroundings.
        on_mains: whether the mains feed the board.
        battery_wh: energy of the battery when full; that of the first row counts.
        cooling: factor on the rise of the temperature; above 1 where a fan failed.
        slowdown: factor on every window's time.
    """

    at_s: float
    cpu_foreign: float
    memory_available_mib: float | None = None
    ambient_c: float = 25.0
    on_mains: bool = True
    battery_wh: float | None = None
    cooling: float = 1.0
    slowdown: float = 1.0


def read_recording(path: Path, board: Board) -> Trace:
    """Return the trace of a file.

    Raises:
        RecordingError: it cannot be read, or a line is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}; --trace names it") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: no text in UTF-8") from None
    if path.suffix == ".csv":
        rows = list(_csv_rows(path, text))
    else:
        rows = list(_json_rows(path, text, board))
    _check(path, rows)
    return _trace(path.stem, rows, board)


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    reader = csv.DictReader(text.splitlines())
    for number, cells in enumerate(reader, start=2):
        given = {name: value for name, value in cells.items() if value not in ("", None)}
        if None in given:
            raise RecordingError(f"{path}:{number}: more cells than names in the first line")
        if "on_mains" in given:
            given["on_mains"] = given["on_mains"].strip().lower()
        yield _row(path, number, given, strict=False)


def _json_rows(path: Path, text: str, board: Board) -> Iterator[Row]:
    readings: list[tuple[Reading, Tier]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except ValueError:
            raise RecordingError(f"{path}:{number}: is no JSON object") from None
        if not isinstance(document, dict):
            raise RecordingError(f"{path}:{number}: is no JSON object")
        if "at_s" in document:
            yield _row(path, number, document, strict=True)
        elif "reading" in document:
            readings.append(_reading(path, number, document))
    if readings:
        yield from surroundings(readings, board)


def _row(path: Path, number: int, document: dict[str, Any], *, strict: bool) -> Row:
    try:
        return msgspec.convert(document, Row, strict=strict)
    except msgspec.ValidationError as error:
        names = ", ".join(Row.__struct_fields__)
        raise RecordingError(f"{path}:{number}: {error}; the columns are {names}") from None


def _reading(path: Path, number: int, document: dict[str, Any]) -> tuple[Reading, Tier]:
    """Return a reading and the tier that ran before it was decided on."""
    try:
        reading = msgspec.convert(document["reading"], Reading)
        ran = document.get("previous") or document.get("from") or document.get("tier")
        return reading, Tier(str(ran))
    except (msgspec.ValidationError, ValueError) as error:
        raise RecordingError(f"{path}:{number}: is no reading of the daemon: {error}") from None


def surroundings(readings: Sequence[tuple[Reading, Tier]], board: Board) -> Iterator[Row]:
    """Yield what surrounded a board on which the daemon ran.

    Args:
        readings: each with the tier that ran until then.
        board: whose tiers, gains and time constants are taken for those of the board.
    """
    heat, before_ns, busy = Heat(), None, 0.0
    start_ns, load, ambient_c = readings[0][0].time_ns, 0.0, 25.0
    free_mib: float | None = None
    for reading, tier in readings:
        clock = board.clocks[-1] if reading.throttled else 1.0
        if reading.cpu_foreign is not None:
            own = reading.cpu_own or 0.0
            busy = min(1.0, reading.cpu_foreign + own) * clock * board.clock_ghz
            load = reading.cpu_foreign * clock
            full = reading.cpu_foreign + own > 0.98
            if full and (reading.cpu_pressure or 0.0) > _WAITING:
                load = max(1.0, load)
        if before_ns is None:
            heat.case_c, heat.chip_c = board.gains_c[1] * busy, board.gains_c[0] * busy
        elif reading.time_ns > before_ns:
            Warming(board, (reading.time_ns - before_ns) / 1e9).step(heat, busy, 0.0, 1.0)
        before_ns = reading.time_ns
        if reading.memory_available_mib is not None:
            free_mib = reading.memory_available_mib + board.tiers[tier].memory_mib
        if reading.temperature_c is not None:
            ambient_c = reading.temperature_c - heat.temperature_c(board, 0.0)
        yield Row(
            at_s=(reading.time_ns - start_ns) / 1e9,
            cpu_foreign=load,
            memory_available_mib=free_mib,
            ambient_c=ambient_c,
            on_mains=reading.on_mains is not False,
        )


def _check(path: Path, rows: Sequence[Row]) -> None:
    if len(rows) < 2:
        raise RecordingError(f"{path}: has {len(rows)} rows; two are needed, the last ends it")
    if rows[0].at_s != 0.0:
        raise RecordingError(f"{path}: at_s begins with {rows[0].at_s:g}; it must begin with 0")
    for before, after in pairwise(rows):
        if not after.at_s > before.at_s:
            raise RecordingError(
                f"{path}: at_s {after.at_s:g} follows {before.at_s:g}; put the rows in the order "
                "of their times, one run to a file"
            )
    if rows[-1].at_s > LONGEST_S:
        raise RecordingError(f"{path}: is longer than {LONGEST_S / 3600:g} h; cut it")
    for row in rows:
        values = (row.cpu_foreign, row.memory_available_mib or 0.0, row.ambient_c, row.cooling)
        if not all(map(math.isfinite, values)) or row.cpu_foreign < 0.0 or row.slowdown <= 0.0:
            raise RecordingError(f"{path}: the row at {row.at_s:g} s has a value that cannot be")


def _trace(name: str, rows: Sequence[Row], board: Board) -> Trace:
    steps = max(1, int(rows[-1].at_s / STEP_S))
    at_s = np.arange(steps) * STEP_S
    index = np.searchsorted([row.at_s for row in rows], at_s, side="right") - 1

    def column(values: Sequence[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array(values, np.float64)[index]

    free = [
        board.ram_mib if row.memory_available_mib is None else row.memory_available_mib
        for row in rows
    ]
    return Trace(
        kind=name,
        variant="",
        load=1.0,
        seed=0,
        step_s=STEP_S,
        foreign=np.clip(column([row.cpu_foreign for row in rows]), 0.0, 8.0),
        neighbours_mib=board.ram_mib - column(free),
        ambient_c=column([row.ambient_c for row in rows]),
        cooling=column([row.cooling for row in rows]),
        slowdown=column([row.slowdown for row in rows]),
        on_mains=np.array([row.on_mains for row in rows])[index],
        battery_wh=rows[0].battery_wh,
    )
