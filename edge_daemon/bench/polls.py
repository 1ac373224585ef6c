"""A governor poll against the same signals through psutil, in turn."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns, process_time_ns, sleep

import numpy as np
from msgspec.structs import replace

from edge_daemon.clock import VirtualClock, monotonic_ns
from edge_daemon.governor.governor import Governor
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.profile import PUBLISHED, Profile

ROUNDS = 20
IN_A_ROW = 50
PAUSES = 60
PAUSE_S = 0.02

_MEASURED = replace(PUBLISHED, measured=True)


@dataclass(frozen=True, slots=True)
class PollCost:
    """What a poll takes, in microseconds; medians where nothing else is said.

    In a row, everything is read on one thread, as psutil reads it. After a pause, polls come as
    they do in the daemon: what may hang is read shortly before, in a thread of its own, the caches
    are cold, and one poll in sixty looks for sensors.

    Attributes:
        reading_us: one reading of all probes.
        table_us: a poll that goes by the published table: reading, decision and report.
        table_p99_us: 99th percentile of that: the polls that also look for sensors.
        profile_us: a poll that goes by a measured profile.
        profile_p99_us: 99th percentile of that.
        psutil_us: the same signals through psutil, and the pressures, which it does not know,
            through plainly opened files.
        paused_poll_us: the poll itself, after a pause.
        paused_cpu_us: mean CPU time that both threads take for it, and for the pause.
        paused_psutil_us: mean CPU time for the same signals through psutil, and for the pause.
    """

    reading_us: float
    table_us: float
    table_p99_us: float
    profile_us: float
    profile_p99_us: float
    psutil_us: float
    paused_poll_us: float
    paused_cpu_us: float
    paused_psutil_us: float

    @property
    def ratio(self) -> float:
        """How many times dearer psutil is than a reading."""
        return self.psutil_us / self.reading_us

    @property
    def share(self) -> float:
        """The share of one core that goes into a poll a second."""
        return self.paused_cpu_us / 1e6


class _Nowhere:
    """Takes requests and events and does nothing with them."""

    def request(self, tier: object, order: object) -> None:
        """Take a request."""

    def write(self, event: object) -> None:
        """Take an event."""


class _Poller:
    """Probes and a governor for which a second passes before each reading.

    A poll comes once a second or so; asked sooner, the probes would answer from memory.
    """

    def __init__(self, root: Path, profile: Profile = PUBLISHED, *, apart: bool = False) -> None:
        self._clock = VirtualClock(monotonic_ns())
        self._probes = Probes(root, self._clock, awake_clock=self._clock, apart=apart)
        self._governor = Governor(
            self._probes, Limits(), _Nowhere(), _Nowhere(), reading_every_s=3600.0, profile=profile
        )

    def a_second_passes(self) -> None:
        self._clock.advance_to(self._clock() + 1_000_000_000)

    def prepare(self) -> None:
        self._probes.prepare()

    def read(self) -> None:
        self._probes.read()

    def poll(self) -> None:
        self._governor.poll()

    def close(self) -> None:
        self._probes.close()


def measure_polls(root: Path = Path("/")) -> PollCost:
    """Measure on this board's own sensors."""
    with (
        closing(_Poller(root)) as reader,
        closing(_Poller(root)) as by_table,
        closing(_Poller(root, _MEASURED)) as by_profile,
        closing(_Poller(root, apart=True)) as daemon,
    ):
        psutil = _psutil(root)
        columns = (
            (reader.a_second_passes, reader.read),
            (by_table.a_second_passes, by_table.poll),
            (by_profile.a_second_passes, by_profile.poll),
            (_nothing, psutil),
        )
        in_turn = [
            [[_wall_us(*column) for _ in range(IN_A_ROW)] for column in columns]
            for _ in range(ROUNDS)
        ]
        paused = [(*_paused_us(daemon), _paused_psutil_us(psutil)) for _ in range(PAUSES)]
    times_us = np.array(in_turn)
    reading_us, table_us, profile_us, psutil_us = np.median(times_us, axis=(0, 2))
    _, table_p99_us, profile_p99_us, _ = np.percentile(times_us, 99, axis=(0, 2))
    poll_us, cpu_us, psutil_cpu_us = np.array(paused).T
    return PollCost(
        reading_us=float(reading_us),
        table_us=float(table_us),
        table_p99_us=float(table_p99_us),
        profile_us=float(profile_us),
        profile_p99_us=float(profile_p99_us),
        psutil_us=float(psutil_us),
        paused_poll_us=float(np.median(poll_us)),
        paused_cpu_us=float(cpu_us.mean()),
        paused_psutil_us=float(psutil_cpu_us.mean()),
    )


def _wall_us(before: Callable[[], None], work: Callable[[], None]) -> float:
    before()
    started_ns = perf_counter_ns()
    work()
    return (perf_counter_ns() - started_ns) / 1e3


def _paused_us(daemon: _Poller) -> tuple[float, float]:
    """Return how long a poll takes as it comes in the daemon, and the CPU time of all threads."""
    daemon.a_second_passes()
    before_ns = process_time_ns()
    daemon.prepare()
    sleep(PAUSE_S)  # the other thread reads
    wall_us = _wall_us(_nothing, daemon.poll)
    return wall_us, (process_time_ns() - before_ns) / 1e3


def _paused_psutil_us(psutil: Callable[[], None]) -> float:
    before_ns = process_time_ns()
    sleep(PAUSE_S)
    psutil()
    return (process_time_ns() - before_ns) / 1e3


def _nothing() -> None:
    """Nothing has to happen first."""


def _psutil(root: Path) -> Callable[[], None]:
    """Return what reads through psutil what the probes read by themselves."""
    import psutil

    process = psutil.Process()
    pressures = [root / "proc/pressure" / resource for resource in ("cpu", "memory")]
    readable = [path for path in pressures if path.exists()]

    def read() -> None:
        psutil.cpu_times()
        process.cpu_times()
        process.cpu_affinity()
        psutil.virtual_memory()
        psutil.sensors_temperatures()
        psutil.sensors_battery()
        for path in readable:
            _waited_us(path)

    return read


def _waited_us(path: Path) -> list[int]:
    """Return the totals of a pressure file, read the plain way."""
    with path.open("rb") as file:
        return [int(line.rpartition(b"=")[2]) for line in file]
