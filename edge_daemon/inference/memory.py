"""This process's memory: how much is resident, and giving freed pages back to the board."""

import ctypes
import functools
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast


def resident_bytes(proc: Path = Path("/proc/self")) -> int:
    """Return the resident set size in bytes, from `statm` (proc_pid_statm(5))."""
    fields = (proc / "statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def release_free_memory() -> bool:
    """Ask the C library to return free heap to the kernel; return whether it returned any.

    glibc keeps what a disposed model leaves behind for later use (malloc_trim(3)). Other C
    libraries have no such call, and there this does nothing.
    """
    trim = _malloc_trim()
    return trim is not None and trim(0) == 1


def require_headroom(size_bytes: int) -> None:
    """Raise MemoryError unless this much more could be allocated now; takes none of it.

    For a place where the next to fail would be a C++ library in the middle of something: where
    address space is limited or not overcommitted, it aborts the process instead of failing.
    """
    try:
        mmap.mmap(-1, size_bytes).close()
    except OSError as error:
        raise MemoryError(f"less than {size_bytes >> 20} MiB can be allocated") from error


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return cast(Callable[[int], int], trim)
