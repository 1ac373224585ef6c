"""How busy other processes keep the cores that this one may use."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.cgroup import quota_cores
from edge_daemon.governor.kernelfile import KernelFile

MIN_SPAN_S = 0.5
"""Shorter spans hold too few clock ticks (10 ms each) to tell a load."""

FIRST_SPAN_S = 0.2
"""The first value may be rougher, so that the daemon need not start blind."""


class CpuLoad(NamedTuple):
    """Shares of the usable cores, 0 to 1."""

    foreign: float
    own: float


class Sample(NamedTuple):
    """The counters at one moment; ticks are summed over the cores this process may run on."""

    time_ns: int
    own_ns: int
    busy: int
    idle: int
    iowait: int
    cores: int


def own_cpu_ns() -> int:
    """Return the CPU time of this process and of the children it has waited for, in ns."""
    times = os.times()
    children_s = times.children_user + times.children_system
    return time.process_time_ns() + int(children_s * 1e9)


def affinity() -> set[int]:
    """Return the numbers of the cores this process may run on."""
    return os.sched_getaffinity(0)


class CpuProbe:
    """Foreign and own load between two reads of /proc/stat (proc_stat(5)).

    Own time is taken off the busy time of the same cores, so that the daemon's own work never
    looks like pressure. Under a CPU quota of q cores, others only take something away once they
    leave fewer than q cores free: `foreign` is then 1 - free/q.

    Args:
        root: the filesystem root.
        own_ns: CPU time of this process with its children.
        cores: the cores it may run on.
        ticks_hz: unit of /proc/stat.
    """

    def __init__(
        self,
        root: Path,
        own_ns: Callable[[], int] = own_cpu_ns,
        cores: Callable[[], set[int]] = affinity,
        ticks_hz: int = os.sysconf("SC_CLK_TCK"),
    ) -> None:
        self._root = root
        self._own_ns = own_ns
        self._cores = cores
        self._tick_ns = 1_000_000_000 // ticks_hz
        self._stat = KernelFile(root / "proc/stat", size=8192)
        self._before: Sample | None = None
        self._load: CpuLoad | None = None
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the kernel tells at all."""
        return self._present

    @property
    def cores(self) -> float | None:
        """Cores that this process may use; None where the kernel does not tell."""
        online = None if self._before is None else self._before.cores
        known = [count for count in (self._quota, online) if count is not None]
        return min(known, default=None)

    def scan(self) -> None:
        """Look again at what rarely changes: affinity and quota."""
        self._present = self._stat.path.exists()
        self._allowed = self._cores()
        self._quota = quota_cores(self._root)

    def reset(self) -> None:
        """Forget the last sample: what lies between it and now is no measure of load."""
        self._before = None
        self._load = None

    def read(self, now_ns: int) -> CpuLoad | None:
        """Return the load since the last sample; None when two samples cannot be compared.

        Raises:
            OSError: /proc/stat cannot be read.
            ValueError: /proc/stat is malformed.
        """
        before = self._before
        if before is not None and now_ns > before.time_ns:
            span_s = FIRST_SPAN_S if self._load is None else MIN_SPAN_S
            if now_ns - before.time_ns < span_s * 1e9:
                return self._load
        sample = self._sample(now_ns)
        self._before = sample
        self._load = None if before is None else self._between(before, sample)
        return self._load

    def close(self) -> None:
        """Close the file."""
        self._stat.close()

    def _sample(self, now_ns: int) -> Sample:
        own_ns = self._own_ns()
        data = self._stat.read()
        head, *lines = data[: data.find(b"\nintr")].split(b"\n")
        mine = [head]
        if len(self._allowed) < len(lines):
            mine = [line for line in lines if _number(line) in self._allowed] or mine
        busy = idle = iowait = 0
        try:
            for line in mine:
                # guest and guest_nice are part of user and nice already.
                user, nice, system, rest, wait, *more = map(int, line.split()[1:9])
                busy += user + nice + system + sum(more)
                idle += rest
                iowait += wait
        except ValueError:
            raise ValueError(f"{self._stat.path} begins {data[:48]!r}") from None
        cores = len(lines) if mine[0] is head else len(mine)
        return Sample(now_ns, own_ns, busy, idle, iowait, max(1, cores))

    def _between(self, before: Sample, after: Sample) -> CpuLoad | None:
        span_ns = after.time_ns - before.time_ns
        busy = after.busy - before.busy
        idle = after.idle - before.idle
        own_ns = after.own_ns - before.own_ns
        # iowait, alone of these counters, may go back (proc_stat(5)).
        total = busy + idle + max(0, after.iowait - before.iowait)
        backwards = span_ns <= 0 or busy < 0 or idle < 0 or own_ns < 0
        if backwards or total <= 0 or after.cores != before.cores:
            return None
        own_share = own_ns / self._tick_ns / total
        free_cores = after.cores * (1.0 - _clip(busy / total - own_share))
        usable = after.cores if self._quota is None else min(self._quota, after.cores)
        return CpuLoad(_clip(1.0 - free_cores / usable), _clip(own_ns / span_ns / usable))


def _number(line: bytes) -> int:
    digits = line[3 : line.find(b" ")]
    return int(digits) if digits.isdigit() else -1


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
