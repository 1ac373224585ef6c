"""How busy other processes keep the cores that this one may use."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.cgroup import Quota
from edge_daemon.governor.kernelfile import KernelFile
from edge_daemon.governor.owntime import OwnTime

MIN_SPAN_S = 0.5
"""Shorter spans hold too few clock ticks (10 ms each) to tell a load."""

FIRST_SPAN_S = 0.2
"""The first value may be rougher, so that the daemon need not start blind."""

CHECK_S = 5.0
"""How often the quota and who shares our control group are looked at."""

_MIN_SPAN_NS, _FIRST_SPAN_NS, _CHECK_NS = (
    int(span_s * 1e9) for span_s in (MIN_SPAN_S, FIRST_SPAN_S, CHECK_S)
)


class CpuLoad(NamedTuple):
    """Shares of the usable cores, 0 to 1."""

    foreign: float
    own: float


class Cores(NamedTuple):
    """The cores at one moment.

    Attributes:
        allowed: numbers of those this process may run on.
        online: how many are switched on.
        quota: how many its control groups leave it; None where they set no quota.
    """

    allowed: set[int]
    online: int
    quota: float | None

    @property
    def shared(self) -> int:
        """How many this process may run on, side by side with others."""
        return max(1, min(len(self.allowed), self.online))

    @property
    def usable(self) -> float:
        """How many it may use."""
        return self.shared if self.quota is None else min(self.quota, self.shared)


class Sample(NamedTuple):
    """The counters at one moment; ticks are summed over the cores this process may run on."""

    time_ns: int
    own_ns: int
    busy: int
    idle: int
    iowait: int
    cores: Cores


def affinity() -> set[int]:
    """Return the numbers of the cores that the main thread, which classifies, may run on.

    Those that are offline are not among them (sched_getaffinity(2)).
    """
    return os.sched_getaffinity(os.getpid())


class CpuProbe:
    """Foreign and own load between two reads of /proc/stat (proc_stat(5)).

    Own time is taken off the busy time of the same cores, so that the daemon's own work never
    looks like pressure. Time that a hypervisor steals is busy and not ours: foreign. Under a CPU
    quota of q cores, others only take something away once they leave fewer than q cores free:
    `foreign` is then 1 - free/q.

    A load says how full the cores are and not how many wait for them: 1 is as far as it goes.
    What queues is told by the pressure (`stall.py`), and stays apart from the load: our own work
    is part of it.

    Args:
        root: the filesystem root.
        own: CPU time of this process.
        cores: the cores it may run on.
        ticks_hz: unit of /proc/stat.
    """

    def __init__(
        self,
        root: Path,
        own: OwnTime | None = None,
        cores: Callable[[], set[int]] = affinity,
        ticks_hz: int = os.sysconf("SC_CLK_TCK"),
    ) -> None:
        self._own = OwnTime(root) if own is None else own
        self._allowed = cores
        self._tick_ns = 1_000_000_000 // ticks_hz
        self._stat = KernelFile(root / "proc/stat", size=1024)
        self._quota = Quota(root)
        self._before: Sample | None = None
        self._load: CpuLoad | None = None
        self._checked_ns: int | None = None
        self._look()

    @property
    def present(self) -> bool:
        """Whether the kernel tells at all."""
        return self._present

    @property
    def cores(self) -> float | None:
        """Cores that this process may use: the least of quota, affinity and those online.

        As of the last read; None before the first that succeeded.
        """
        return None if self._before is None else float(self._before.cores.usable)

    def scan(self) -> None:
        """Look again at what rarely changes: whether there is /proc/stat, and our groups."""
        self._quota.scan()
        self._own.scan()
        self._look()

    def reset(self) -> None:
        """Forget the last sample: what lies between it and now is no measure of load."""
        self._before = None
        self._load = None

    def read(self, now_ns: int) -> CpuLoad | None:
        """Return the load since the last sample; None when two samples cannot be compared.

        A change of cores or quota is such a case. Affinity and cores online are looked at every
        time, quotas every `CHECK_S`.

        Raises:
            OSError: /proc/stat cannot be read.
            ValueError: /proc/stat is malformed.
        """
        before = self._before
        if before is not None and now_ns > before.time_ns:
            least_ns = _FIRST_SPAN_NS if self._load is None else _MIN_SPAN_NS
            if now_ns - before.time_ns < least_ns:
                return self._load
        if self._checked_ns is None or not 0 <= now_ns - self._checked_ns < _CHECK_NS:
            self._checked_ns = now_ns
            self._quota_cores = self._quota.cores()
            self._own.check()
        sample = self._sample(now_ns)
        self._before = sample
        self._load = None if before is None else self._between(before, sample)
        return self._load

    def close(self) -> None:
        """Close the files."""
        self._stat.close()
        self._quota.close()
        self._own.close()

    def _look(self) -> None:
        self._present = self._stat.path.exists()
        self._quota_cores = self._quota.cores()

    def _sample(self, now_ns: int) -> Sample:
        own_ns = self._own.read()
        allowed = self._allowed()
        data = self._stat.read()
        while (end := data.find(b"\nintr")) < 0 and len(data) >= self._stat.size:
            self._stat.size *= 2  # more cores than seen so far
            data = self._stat.read()
        end = len(data) if end < 0 else end
        cores = Cores(allowed, data.count(b"\ncpu", 0, end), self._quota_cores)
        mine = [data[: data.find(b"\n")]]  # the sum over all cores
        if len(allowed) < cores.online:
            lines = data[:end].split(b"\n")
            mine = [line for line in lines[1:] if _number(line) in allowed] or mine
        busy = idle = iowait = 0
        try:
            for line in mine:
                # guest and guest_nice are part of user and nice already.
                user, nice, system, rest, wait, *more = map(int, line.split(None, 9)[1:9])
                busy += user + nice + system + sum(more)
                idle += rest
                iowait += wait
        except ValueError:
            raise ValueError(f"{self._stat.path} begins {data[:48]!r}") from None
        return Sample(now_ns, own_ns, busy, idle, iowait, cores)

    def _between(self, before: Sample, after: Sample) -> CpuLoad | None:
        span_ns = after.time_ns - before.time_ns
        busy = after.busy - before.busy
        idle = after.idle - before.idle
        own_ns = after.own_ns - before.own_ns
        # iowait, alone of these counters, may go back (proc_stat(5)).
        total = busy + idle + max(0, after.iowait - before.iowait)
        backwards = span_ns <= 0 or busy < 0 or idle < 0
        if backwards or total <= 0 or after.cores != before.cores:
            return None
        own_share = own_ns / self._tick_ns / total
        free_cores = after.cores.shared * (1.0 - _clip(busy / total - own_share))
        usable = after.cores.usable
        return CpuLoad(_clip(1.0 - free_cores / usable), _clip(own_ns / span_ns / usable))


def _number(line: bytes) -> int:
    digits = line[3 : line.find(b" ")]
    return int(digits) if digits.isdigit() else -1


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
