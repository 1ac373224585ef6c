"""A control group with little memory, for a program and a neighbour of its."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.drills.needs import SkipError, need_root

MIB = 1 << 20
_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")
_HOLD = "import sys, time\nheld = bytearray(b'x') * int(sys.argv[1])\ntime.sleep(3600)\n"


class MemoryGroup:
    """A group of its own below the root's.

    Args:
        path: its directory.
        limit_mib: what all in it may take together.
    """

    def __init__(self, path: Path, limit_mib: int) -> None:
        self.path = path
        self._limit = limit_mib * MIB
        v1 = path.is_relative_to(_V1)
        limit = path / ("memory.limit_in_bytes" if v1 else "memory.max")
        self._usage = path / ("memory.usage_in_bytes" if v1 else "memory.current")
        limit.write_text(str(self._limit), encoding="ascii")

    @property
    def prefix(self) -> list[str]:
        """What makes a command line run inside."""
        return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.path)]

    @contextlib.contextmanager
    def neighbour(self, leaves_mib: float) -> Iterator[None]:
        """Let somebody else take all but so many MiB, until the block ends."""
        taken = int(self._usage.read_text(encoding="ascii"))
        bytes_ = self._limit - taken - round(leaves_mib * MIB)
        holder = subprocess.Popen([*self.prefix, sys.executable, "-S", "-c", _HOLD, str(bytes_)])
        try:
            yield
        finally:
            holder.kill()
            holder.wait()


@contextlib.contextmanager
def memory_group(limit_mib: int) -> Iterator[MemoryGroup]:
    """Make a group, and remove it with all that is in it."""
    need_root()
    base = _V1 if (_V1 / "cgroup.procs").exists() else _V2
    path = base / f"edge-daemon-drill-{os.getpid()}"
    try:
        path.mkdir()
        group = MemoryGroup(path, limit_mib)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.rmdir()
        raise SkipError(f"no control group for memory can be made here: {error}") from error
    try:
        yield group
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    """Remove a group as soon as its last process has been reaped."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            path.rmdir()
            return
        time.sleep(0.1)
