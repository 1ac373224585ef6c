"""A governor poll against the same signals through psutil, in turn."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns, process_time_ns, sleep

import numpy as np

from edge_daemon.clock import VirtualClock, monotonic_ns
from edge_daemon.governor.governor import Governor
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.probes import Probes

ROUNDS = 20
IN_A_ROW = 50
PAUSES = 60
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class PollCost:
    """What a poll takes, in microseconds; medians where nothing else is said.

    Attributes:
        reading_us: one reading of all probes.
        poll_us: the reading, the decision and the request.
        poll_p99_us: 99th percentile of that: the polls that also look for sensors.
        psutil_us: the same signals through psutil, and the pressures, which it does not know,
            through plainly opened files.
        cold_poll_us: mean CPU time of the process for a poll after a pause, as polls come in the
            daemon: the caches are cold, and one in sixty looks for sensors.
        cold_psutil_us: mean CPU time for the same signals through psutil after a pause.
    """

    reading_us: float
    poll_us: float
    poll_p99_us: float
    psutil_us: float
    cold_poll_us: float
    cold_psutil_us: float

    @property
    def ratio(self) -> float:
        """How many times dearer psutil is than a reading."""
        return self.psutil_us / self.reading_us

    @property
    def share(self) -> float:
        """The share of one core that goes into a poll a second."""
        return self.cold_poll_us / 1e6


@dataclass(frozen=True, slots=True)
class _Column:
    """One thing that is timed, time and again."""

    clock_ns: Callable[[], int]
    before: Callable[[], None]
    work: Callable[[], None]
    pause_s: float = 0.0

    def us(self) -> float:
        """Return how long it takes now, by the clock."""
        self.before()
        if self.pause_s:
            sleep(self.pause_s)
        started_ns = self.clock_ns()
        self.work()
        return (self.clock_ns() - started_ns) / 1e3


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

    def __init__(self, root: Path) -> None:
        self._clock = VirtualClock(monotonic_ns())
        self._probes = Probes(root, self._clock, awake_clock=self._clock)
        self._governor = Governor(
            self._probes, Limits(), _Nowhere(), _Nowhere(), reading_every_s=3600.0
        )

    def a_second_passes(self) -> None:
        self._clock.advance_to(self._clock() + 1_000_000_000)

    def read(self) -> None:
        self._probes.read()

    def poll(self) -> None:
        self._governor.poll()

    def close(self) -> None:
        self._probes.close()


def measure_polls(root: Path = Path("/")) -> PollCost:
    """Measure on this board's own sensors."""
    with closing(_Poller(root)) as reader, closing(_Poller(root)) as poller:
        reading = _Column(perf_counter_ns, reader.a_second_passes, reader.read)
        poll = _Column(perf_counter_ns, poller.a_second_passes, poller.poll)
        cold_poll = _Column(process_time_ns, poller.a_second_passes, poller.poll, PAUSE_S)
        psutil = _Column(perf_counter_ns, _nothing, _psutil(root))
        cold_psutil = _Column(process_time_ns, _nothing, psutil.work, PAUSE_S)
        times_us = np.array(
            [
                [[column.us() for _ in range(IN_A_ROW)] for column in (reading, poll, psutil)]
                for _ in range(ROUNDS)
            ]
        )
        cold_us = np.array([(cold_poll.us(), cold_psutil.us()) for _ in range(PAUSES)])
    reading_us, poll_us, psutil_us = np.median(times_us, axis=(0, 2))
    cold_poll_us, cold_psutil_us = cold_us.mean(axis=0)
    return PollCost(
        reading_us=float(reading_us),
        poll_us=float(poll_us),
        poll_p99_us=float(np.percentile(times_us[:, 1], 99)),
        psutil_us=float(psutil_us),
        cold_poll_us=float(cold_poll_us),
        cold_psutil_us=float(cold_psutil_us),
    )


def _nothing() -> None:
    """Nothing has to pass before psutil reads anew."""


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
