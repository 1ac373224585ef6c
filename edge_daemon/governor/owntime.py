"""How much CPU time this process and what it started have used."""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

from edge_daemon.governor.cgroup import controller_groups, unified_groups
from edge_daemon.governor.kernelfile import KernelFile, text_of


def children_cpu_ns() -> int:
    """Return the CPU time of the children that this process has waited for, in ns."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((used.ru_utime + used.ru_stime) * 1e9)


class OwnTime:
    """A counter of our own CPU time in ns that never goes back.

    A child's time reaches its parent when it has ended, all at once: while it runs it looks like
    somebody else's. Where the process has a control group to itself, as a service of systemd's
    has, the group's usage counts children as they run. It may lag behind the process's own clock
    by a tick, so that the one that grew more counts.

    Args:
        root: the filesystem root.
        process_ns: CPU time of this process.
        children_ns: CPU time of its children that have ended; counts without a group.
        pid: this process.
    """

    def __init__(
        self,
        root: Path,
        process_ns: Callable[[], int] = time.process_time_ns,
        children_ns: Callable[[], int] = children_cpu_ns,
        pid: int | None = None,
    ) -> None:
        self._root = root
        self._process_ns = process_ns
        self._children_ns = children_ns
        self._pid = os.getpid() if pid is None else pid
        self._usage: KernelFile | None = None
        self._procs: KernelFile | None = None
        self._members = b""
        self._to_ourselves = False
        self._used_ns = 0
        self._process_before_ns = process_ns()
        self._children_before_ns = children_ns()
        self._group_before_ns: int | None = None
        self.scan()

    def scan(self) -> None:
        """Look again for our group, and who is in it."""
        found = _usage_file(self._root)
        if found != (None if self._usage is None else self._usage.path):
            self.close()
            self._group_before_ns = None
            self._usage = None if found is None else KernelFile(found, 128)
            self._procs = None if found is None else KernelFile(found.with_name("cgroup.procs"))
        self._look()

    def check(self) -> None:
        """See whether somebody joined us in our group: a microsecond or two while nobody did."""
        if self._to_ourselves:
            self._look()

    def read(self) -> int:
        """Return the CPU time used since this object was made."""
        process_ns, children_ns = self._process_ns(), self._children_ns()
        group_ns = self._group_usage_ns() if self._to_ourselves else None
        group_before_ns = self._group_before_ns
        used_ns = process_ns - self._process_before_ns
        if group_ns is None or group_before_ns is None:
            used_ns += children_ns - self._children_before_ns
        else:
            used_ns = max(used_ns, group_ns - group_before_ns)
        self._process_before_ns, self._children_before_ns = process_ns, children_ns
        self._group_before_ns = group_ns
        self._used_ns += used_ns
        return self._used_ns

    def close(self) -> None:
        """Close the files."""
        for file in (self._usage, self._procs):
            if file is not None:
                file.close()

    def _look(self) -> None:
        try:
            members = b"" if self._procs is None else self._procs.read()
        except (OSError, ValueError):
            members = b""
        if members != self._members:
            self._members = members
            self._to_ourselves = _all_ours(self._root, members.split(), self._pid)

    def _group_usage_ns(self) -> int | None:
        if self._usage is None:
            return None
        try:
            data = self._usage.read()
            # cpu.stat begins "usage_usec 61410511"; cpuacct.usage is nanoseconds alone.
            name, _, usage_us = data[: data.index(b"\n")].rpartition(b" ")
            return int(usage_us) * 1000 if name else int(usage_us)
        except (OSError, ValueError):
            return None


def _usage_file(root: Path) -> Path | None:
    """Return the file that counts the CPU time of our group; None where it has groups below it."""
    for groups, name in (
        (unified_groups(root), "cpu.stat"),
        (controller_groups(root, "cpuacct"), "cpuacct.usage"),
    ):
        if groups and (groups[0] / name).exists() and not _has_groups(groups[0]):
            return groups[0] / name
    return None


def _has_groups(group: Path) -> bool:
    return any(path.is_dir() for path in group.glob("*"))


def _all_ours(root: Path, members: list[bytes], pid: int) -> bool:
    """Whether the members of a group are `pid` and processes that descend from it."""
    ours = {str(pid).encode()}
    if not ours.issubset(members):
        return False
    for member in members:
        line = [member]
        while line[-1] not in ours:
            parent = _parent(root, line[-1])
            if parent is None or parent in line:
                return False
            line.append(parent)
        ours.update(line)
    return True


def _parent(root: Path, pid: bytes) -> bytes | None:
    """Return the parent of a process (proc_pid_stat(5)), None where there is none or it ended."""
    text = text_of(root / "proc" / pid.decode("ascii", "replace") / "stat")
    # The name in brackets may itself hold brackets and spaces.
    fields = (text or "").rpartition(")")[2].split()
    return fields[1].encode() if len(fields) > 1 and fields[1] != "0" else None
