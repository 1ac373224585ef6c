"""A governor poll against the same signals through psutil, in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from edge_daemon.clock import VirtualClock, monotonic_ns

POLLS = 400


@dataclass(frozen=True, slots=True)
class PollCost:
    """Medians and 99th percentiles in microseconds.

    Attributes:
        reading_us: one reading of all probes.
        poll_us: the reading, the decision and the request.
        poll_p99_us: 99th percentile of that.
        psutil_us: CPU times, own CPU times, memory, temperatures and battery through psutil.
    """

    reading_us: float
    poll_us: float
    poll_p99_us: float
    psutil_us: float


class _Nowhere:
    """Takes requests and events and does nothing with them."""

    def request(self, tier: object, order: object) -> None:
        """Take a request."""

    def write(self, event: object) -> None:
        """Take an event."""


def measure_polls(root: Path = Path("/")) -> PollCost:
    """Measure on this board's own sensors."""
    import psutil

    from edge_daemon.governor.governor import Governor
    from edge_daemon.governor.limits import Limits
    from edge_daemon.governor.probes import Probes

    # A poll comes once a second; asked sooner, the CPU probe would answer from memory.
    clock = VirtualClock(monotonic_ns())
    probes = Probes(root, clock, awake_clock=clock)
    governor = Governor(probes, Limits(), _Nowhere(), _Nowhere(), reading_every_s=3600.0)
    process = psutil.Process()

    def through_psutil() -> None:
        psutil.cpu_times()
        process.cpu_times()
        psutil.virtual_memory()
        psutil.sensors_temperatures()
        psutil.sensors_battery()

    def a_second_passes() -> None:
        clock.advance_to(clock() + 1_000_000_000)

    columns = (probes.read, governor.poll, through_psutil)
    times_us = np.array(
        [[_time_us(each, before=a_second_passes) for each in columns] for _ in range(POLLS)]
    )[20:]
    reading_us, poll_us, psutil_us = np.median(times_us, axis=0)
    probes.close()
    return PollCost(
        reading_us=float(reading_us),
        poll_us=float(poll_us),
        poll_p99_us=float(np.percentile(times_us[:, 1], 99)),
        psutil_us=float(psutil_us),
    )


def _time_us(work: Callable[[], object], before: Callable[[], None]) -> float:
    before()
    started_ns = perf_counter_ns()
    work()
    return (perf_counter_ns() - started_ns) / 1e3
