"""How busy other processes keep the cores that this one may use."""

from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from edge_daemon.governor.busytime import BusyTime, Cores
from edge_daemon.governor.cgroup import Quota
from edge_daemon.governor.owntime import OwnTime

MIN_SPAN_S = 0.5
"""Shorter spans hold too few clock ticks (10 ms each) to tell a load."""

FIRST_SPAN_S = 0.2
"""The first value may be rougher, so that the daemon need not start blind."""

CHECK_S = 5.0
"""How often cores, quotas and who shares our control group are looked at."""

_MIN_SPAN_NS, _FIRST_SPAN_NS, _CHECK_NS = (
    int(span_s * 1e9) for span_s in (MIN_SPAN_S, FIRST_SPAN_S, CHECK_S)
)


class CpuLoad(NamedTuple):
    """Shares of the usable cores, 0 to 1."""

    foreign: float
    own: float


class Sample(Struct, frozen=True):
    """The counters at one moment, and the cores that they count.

    Attributes:
        time_ns: when.
        busy_ns: busy time of the cores.
        own_ns: our own part of it.
        cores: those we may run on.
        usable: how many of them we may use: fewer under a quota.
    """

    time_ns: int
    busy_ns: int
    own_ns: int
    cores: Cores
    usable: float


class CpuProbe:
    """Foreign and own load between two looks at the busy time of our cores and at our own time.

    Own time is taken off the busy time of the same cores, so that the daemon's own work never
    looks like pressure. Time that a hypervisor steals is busy and not ours: foreign. Under a CPU
    quota of q cores, others only take something away once they leave fewer than q cores free:
    `foreign` is then 1 - free/q.

    A load says how full the cores are and not how many wait for them: 1 is as far as it goes.
    What queues is told by the pressure (`stall.py`), and stays apart from the load: our own work
    is part of it.

    Args:
        root: the filesystem root.
        busy: how long the cores were busy.
        own: how much of that was ours.
    """

    def __init__(
        self, root: Path, busy: BusyTime | None = None, own: OwnTime | None = None
    ) -> None:
        self._busy = BusyTime(root) if busy is None else busy
        self._own = OwnTime(root) if own is None else own
        self._quota = Quota(root)
        self._checked_ns: int | None = None
        self._usable: float | None = None
        self._before: Sample | None = None
        self._load: CpuLoad | None = None

    @property
    def present(self) -> bool:
        """Whether the kernel tells at all."""
        return self._busy.present

    @property
    def cores(self) -> float | None:
        """Cores that this process may use: the least of quota, affinity and those online.

        None before the first read that succeeded.
        """
        return self._usable

    def scan(self) -> None:
        """Look again at what rarely changes: where the kernel tells, and our groups."""
        self._busy.scan()
        self._own.scan()
        self._quota.scan()

    def reset(self) -> None:
        """Forget the last sample: what lies between it and now is no measure of load."""
        self._before = None
        self._load = None

    def read(self, now_ns: int) -> CpuLoad | None:
        """Return the load since the last sample; None when two samples cannot be compared.

        They cannot across a change of cores or quota, which is noticed within `CHECK_S`.

        Raises:
            OSError: the busy time cannot be read.
            ValueError: what is read is malformed.
        """
        before = self._before
        if before is not None and now_ns > before.time_ns:
            least_ns = _FIRST_SPAN_NS if self._load is None else _MIN_SPAN_NS
            if now_ns - before.time_ns < least_ns:
                return self._load
        check = self._checked_ns is None or not 0 <= now_ns - self._checked_ns < _CHECK_NS
        if check:
            self._own.check()
        own_ns = self._own.read()
        busy_ns, cores = self._busy.read(check=check)
        if check or self._usable is None or before is None or cores != before.cores:
            self._checked_ns = now_ns
            quota = self._quota.cores()
            self._usable = float(cores.shared if quota is None else min(quota, cores.shared))
        sample = Sample(now_ns, busy_ns, own_ns, cores, self._usable)
        self._before = sample
        self._load = None if before is None else _between(before, sample)
        return self._load

    def close(self) -> None:
        """Close the files."""
        self._busy.close()
        self._own.close()
        self._quota.close()


def _between(before: Sample, after: Sample) -> CpuLoad | None:
    span_ns = after.time_ns - before.time_ns
    busy_ns = after.busy_ns - before.busy_ns
    own_ns = after.own_ns - before.own_ns
    same_cores = after.cores == before.cores and after.usable == before.usable
    if span_ns <= 0 or busy_ns < 0 or not same_cores:
        return None
    # What others leave, of all cores and then of those that we may use.
    free = after.cores.shared - max(0.0, (busy_ns - own_ns) / span_ns)
    foreign = 1.0 - free / after.usable
    return CpuLoad(_clip(foreign), _clip(own_ns / span_ns / after.usable))


def _clip(share: float) -> float:
    return 0.0 if share < 0.0 else 1.0 if share > 1.0 else share
