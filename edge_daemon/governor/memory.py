"""How much memory can still be taken without swapping or being killed."""

from pathlib import Path

from edge_daemon.governor.cgroup import controller_groups, unified_groups
from edge_daemon.governor.kernelfile import KernelFile, text_of

MIB = 1024 * 1024

CHECK_S = 5.0
"""How often limits that were not set are looked at; those that were are at every reading."""

_CHECK_NS = int(CHECK_S * 1e9)
_HEAD = 256  # MemAvailable is in the third line
_UNLIMITED = 1 << 60  # v1 writes LONG_MAX rounded down to a page for "no limit"
_V2 = (("memory.max", "memory.high"), "memory.current", b"inactive_file")
_V1 = (("memory.limit_in_bytes",), "memory.usage_in_bytes", b"total_inactive_file")


class Group:
    """The files of one control group that may limit memory.

    `memory.high` counts as `memory.max` does: above it the kernel holds the process back.

    Args:
        path: its directory.
        limits: names of its limits.
        usage: name of what counts everything in it.
        inactive: what its `memory.stat` calls file pages that nobody used lately, which the
            kernel takes back before it refuses any.
    """

    def __init__(self, path: Path, limits: tuple[str, ...], usage: str, inactive: bytes) -> None:
        self._limits = [KernelFile(path / name, 64) for name in limits if (path / name).exists()]
        self._usage = KernelFile(path / usage, 64)
        self._stat = KernelFile(path / "memory.stat")
        self._inactive = inactive

    def limits(self) -> bool:
        """Return whether it limits at all.

        Raises:
            OSError: a limit cannot be read.
            ValueError: a limit is malformed.
        """
        return self._limit() is not None

    def room(self, least: int) -> int:
        """Return how many bytes it leaves, or `least` where it leaves more.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file is malformed.
        """
        limit = self._limit()
        if limit is None:
            return least
        used = self._usage.read_int()
        room = limit - used
        if room < least:  # else there is no need of the long memory.stat
            room += min(used, _field(self._stat.read(), self._inactive) or 0)
        return min(room, least)

    def close(self) -> None:
        """Close the files."""
        for file in (*self._limits, self._usage, self._stat):
            file.close()

    def _limit(self) -> int | None:
        """Return the lowest limit that is set."""
        lowest = _UNLIMITED
        for file in self._limits:
            text = file.read().strip()
            if text.isdigit():
                lowest = min(lowest, int(text))
            elif text != b"max":
                raise ValueError(f"{file.path} holds {text[:32]!r}, neither a number nor max")
        return None if lowest == _UNLIMITED else lowest


class MemoryProbe:
    """MemAvailable of /proc/meminfo (proc_meminfo(5)), within the room of the control groups.

    A group's room is its limit less its usage, where file pages that nobody used lately do not
    count as used. MemAvailable leaves out what this process holds already: the numbers are what
    can be taken on top of that. Swap is not counted: a model that is swapped in is a late answer.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._meminfo = KernelFile(root / "proc/meminfo", _HEAD)
        self._groups: list[Group] = []
        self._limiting: list[Group] = []
        self._checked_ns: int | None = None
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the kernel tells at all."""
        return self._present

    def scan(self) -> None:
        """Look again for our control groups: a process can be moved."""
        self._close_groups()
        self._present = self._meminfo.path.exists()
        self._groups = [
            Group(path, *_V2)
            for path in unified_groups(self._root)
            if (path / "memory.current").exists()
        ]
        self._groups += [Group(path, *_V1) for path in _charged(self._root)]
        self._checked_ns = None

    def read(self, now_ns: int) -> float:
        """Return the memory that can be taken, in MiB.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file is malformed.
        """
        if self._checked_ns is None or not 0 <= now_ns - self._checked_ns < _CHECK_NS:
            self._limiting = [group for group in self._groups if group.limits()]
            self._checked_ns = now_ns
        available = self._available()
        for group in self._limiting:
            available = group.room(available)
        return max(0, available) / MIB

    def close(self) -> None:
        """Close the files."""
        self._meminfo.close()
        self._close_groups()

    def _close_groups(self) -> None:
        for group in self._groups:
            group.close()

    def _available(self) -> int:
        """Return MemAvailable in bytes; before Linux 3.14 what it is estimated from."""
        meminfo = self._meminfo.read()
        kib = _field(meminfo, b"MemAvailable:")
        if kib is None and len(meminfo) >= self._meminfo.size:
            self._meminfo.size = 4096
            meminfo = self._meminfo.read()
            kib = _field(meminfo, b"MemAvailable:")
        if kib is None:
            keys = (b"MemFree:", b"Buffers:", b"Cached:")
            free, *cache = (_field(meminfo, key) for key in keys)
            if free is None:
                raise ValueError(
                    f"{self._meminfo.path} has neither MemAvailable nor MemFree: {meminfo[:48]!r}"
                )
            kib = free + sum(part or 0 for part in cache) - (_field(meminfo, b"Shmem:") or 0)
        return kib * 1024


def _charged(root: Path) -> list[Path]:
    """Return the v1 groups that our memory is charged to, own group first.

    Up to Linux 5.10 a parent without `memory.use_hierarchy` does not see what its children hold.
    """
    groups: list[Path] = []
    for group in controller_groups(root, "memory"):
        if groups and text_of(group / "memory.use_hierarchy") == "0":
            break
        if (group / "memory.usage_in_bytes").exists():
            groups.append(group)
    return groups


def _field(text: bytes, key: bytes) -> int | None:
    """Return the number after `key` at the start of a line, or None where there is no such line.

    A line that is cut off, or holds no number, is no such line.
    """
    line, end, _ = (b"\n" + text).partition(b"\n" + key)[2].partition(b"\n")
    number = line.removesuffix(b" kB").strip()
    return int(number) if end and number.isdigit() else None
