"""How much memory can still be taken without swapping or being killed."""

from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.cgroup import controller_groups, unified_groups
from edge_daemon.governor.kernelfile import KernelFile, text_of

MIB = 1024 * 1024
V2_LIMITS = ("memory.max", "memory.high")
V1_LIMITS = ("memory.limit_in_bytes",)

_UNLIMITED = 1 << 60  # v1 writes LONG_MAX rounded down to a page for "no limit"


class Group(NamedTuple):
    """One control group with a memory limit."""

    limits: tuple[KernelFile, ...]
    usage: KernelFile
    stat: KernelFile
    inactive_key: bytes


class MemoryProbe:
    """MemAvailable of /proc/meminfo (proc_meminfo(5)), within the room of the control groups.

    A group's room is its limit less its usage, where file pages that nobody used lately do not
    count as used. MemAvailable leaves out what this process holds already: the numbers are what
    can be taken on top of that.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._meminfo = KernelFile(root / "proc/meminfo")
        self._groups: list[Group] = []
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the kernel tells at all."""
        return self._present

    def scan(self) -> None:
        """Look again for control groups that limit this process."""
        self._close_groups()
        self._present = self._meminfo.path.exists()
        groups = [
            _group(path, V2_LIMITS, "memory.current", b"inactive_file")
            for path in unified_groups(self._root)
        ]
        groups += [
            _group(path, V1_LIMITS, "memory.usage_in_bytes", b"total_inactive_file")
            for path in controller_groups(self._root, "memory")
        ]
        self._groups = [group for group in groups if group is not None]

    def read(self, now_ns: int) -> float:
        """Return the memory that can be taken, in MiB.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file is malformed.
        """
        del now_ns
        available = _available(self._meminfo.read())
        for group in self._groups:
            room = _room(group)
            if room is not None:
                available = min(available, room)
        return max(0, available) / MIB

    def close(self) -> None:
        """Close the files."""
        self._meminfo.close()
        self._close_groups()

    def _close_groups(self) -> None:
        for group in self._groups:
            for file in (*group.limits, group.usage, group.stat):
                file.close()


def _group(path: Path, limits: tuple[str, ...], usage: str, inactive_key: bytes) -> Group | None:
    limited = [path / name for name in limits if _limit(text_of(path / name)) is not None]
    if not limited or not (path / usage).exists():
        return None
    files = tuple(KernelFile(file, size=64) for file in limited)
    stat = KernelFile(path / "memory.stat")
    return Group(files, KernelFile(path / usage, size=64), stat, inactive_key)


def _limit(text: str | None) -> int | None:
    if text is None or not text.isdigit() or int(text) >= _UNLIMITED:
        return None
    return int(text)


def _room(group: Group) -> int | None:
    limits = [limit for file in group.limits if (limit := _limit(file.read_text())) is not None]
    if not limits:
        return None  # lifted since the last scan
    used = group.usage.read_int()
    return min(limits) - used + min(used, _field(group.stat.read(), group.inactive_key) or 0)


def _available(meminfo: bytes) -> int:
    """Return MemAvailable in bytes; before Linux 3.14 what it is estimated from."""
    kib = _field(meminfo, b"MemAvailable:")
    if kib is None:
        parts = [_field(meminfo, key) for key in (b"MemFree:", b"Buffers:", b"Cached:")]
        if parts[0] is None:
            raise ValueError(
                f"/proc/meminfo has neither MemAvailable nor MemFree: {meminfo[:48]!r}"
            )
        kib = sum(part or 0 for part in parts) - (_field(meminfo, b"Shmem:") or 0)
    return kib * 1024


def _field(text: bytes, key: bytes) -> int | None:
    """Return the number after `key` at the start of a line, or None where there is no such line."""
    at = 0 if text.startswith(key) else text.find(b"\n" + key)
    if at < 0:
        return None
    line = text[at:].lstrip(b"\n").split(b"\n", 1)[0].split()
    if len(line) < 2 or not line[1].isdigit() or line[0] != key:
        return None
    return int(line[1])
