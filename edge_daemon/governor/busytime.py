"""How long the cores that this process may run on were busy, whoever kept them so."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.cgroup import root_group
from edge_daemon.governor.kernelfile import KernelFile

_STEAL = 7  # of the counters in a line of /proc/stat


class Cores(NamedTuple):
    """The cores at one moment.

    Attributes:
        allowed: numbers of those this process may run on.
        online: how many are switched on.
        shared: how many of those it may run on, side by side with others.
    """

    allowed: frozenset[int]
    online: int
    shared: int


def affinity() -> set[int]:
    """Return the numbers of the cores that the main thread, which classifies, may run on.

    Those that are offline are not among them (sched_getaffinity(2)).
    """
    return os.sched_getaffinity(os.getpid())


class BusyTime:
    """A counter of busy time in ns, summed over the cores that this process may run on.

    Waiting for a disk is idle; time that a hypervisor steals is busy.

    /proc/stat (proc_stat(5)) tells core by core, but for each read the kernel adds up every
    interrupt there ever was. Where all cores count, the root control group's `cpu.stat` (cgroup
    v2, Linux 5.8 and later) has the same sum for a seventh of the cost. Kernels differ in whether
    that includes stolen time, so that it is left alone while time is stolen.

    Args:
        root: the filesystem root.
        allowed: tells the cores this process may run on.
        ticks_hz: unit of /proc/stat.
    """

    def __init__(
        self,
        root: Path,
        allowed: Callable[[], set[int]] = affinity,
        ticks_hz: int = os.sysconf("SC_CLK_TCK"),
    ) -> None:
        self._root = root
        self._allowed = allowed
        self._tick_ns = 1_000_000_000 // ticks_hz
        self._stat = KernelFile(root / "proc/stat", size=1024)
        self._usage: KernelFile | None = None
        self._by_group = False
        self._counted_ns = 0  # what the source said that counts until the next read
        self._stolen = 0
        self._busy_ns = 0
        self._cores: Cores | None = None
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the kernel tells at all."""
        return self._present

    def scan(self) -> None:
        """Look again for the files."""
        self._present = self._stat.path.exists()
        group = root_group(self._root)
        if group is None and self._usage is not None:
            self._usage.close()
            self._usage = None
        elif self._usage is None and group is not None:
            self._usage = KernelFile(group / "cpu.stat", 64)

    def read(self, *, check: bool) -> tuple[int, Cores]:
        """Return the busy time so far, and the cores that it is counted over.

        It is less than at the last read if a counter went back, and does not compare with what it
        was for other cores.

        Args:
            check: look for cores that came or went, another affinity, and stolen time, too.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file is malformed.
        """
        now_ns = None
        if self._by_group and self._cores is not None and not check:
            now_ns = self._read_group()
        if now_ns is not None and self._cores is not None:
            self._busy_ns += now_ns - self._counted_ns
            self._counted_ns = now_ns
            return self._busy_ns, self._cores
        self._cores = self._read_both()
        return self._busy_ns, self._cores

    def close(self) -> None:
        """Close the files."""
        self._stat.close()
        if self._usage is not None:
            self._usage.close()

    def _read_both(self) -> Cores:
        """Count by the source so far, and choose the one to count by from now on."""
        data = self._stat.read()
        while (end := data.find(b"\nintr")) < 0 and len(data) >= self._stat.size:
            self._stat.size *= 2  # more cores than seen so far
            data = self._stat.read()
        allowed = frozenset(self._allowed())
        online = data.count(b"\ncpu", 0, end)
        everywhere = len(allowed) >= online
        try:
            counters = _counters(data[:end], None if everywhere else allowed)
            idle, iowait = counters[3:5]
        except ValueError:
            raise ValueError(f"{self._stat.path} begins {data[:48]!r}") from None
        stat_ns = (sum(counters) - idle - iowait) * self._tick_ns
        group_ns = self._read_group() if everywhere else None
        if not self._by_group:
            self._busy_ns += stat_ns - self._counted_ns
        elif group_ns is not None:
            self._busy_ns += group_ns - self._counted_ns
        else:
            self._busy_ns = 0  # what counted so far is gone: nothing to compare with
        stolen = sum(counters[_STEAL:])
        self._by_group = group_ns is not None and stolen == self._stolen
        self._counted_ns = group_ns if self._by_group and group_ns is not None else stat_ns
        self._stolen = stolen
        return Cores(allowed, online, max(1, min(len(allowed), online)))

    def _read_group(self) -> int | None:
        """Return the root group's usage; its cpu.stat begins "usage_usec 61410511".

        None where it cannot be read, as once its file system was unmounted: /proc/stat counts then.
        """
        if self._usage is None:
            return None
        try:
            data = self._usage.read()
            return 1000 * int(data[data.index(b" ") : data.index(b"\n")])
        except (OSError, ValueError):
            return None


def _counters(stat: bytes, cores: frozenset[int] | None) -> list[int]:
    """Return the first eight counters of /proc/stat, summed over some cores or over all.

    Guest time, which comes after them, is part of user time already.

    Raises:
        ValueError: they are malformed.
    """
    lines = stat.split(b"\n")
    if not lines[0].startswith(b"cpu "):
        raise ValueError("no sum over all cores")
    if cores is None:
        return [*map(int, lines[0].split(None, 9)[1:9])]
    mine = [line.split(None, 9)[1:9] for line in lines[1:] if _number(line) in cores]
    return [sum(map(int, column)) for column in zip(*mine, strict=True)]


def _number(line: bytes) -> int:
    digits = line[3 : line.find(b" ")]
    return int(digits) if digits.isdigit() else -1
