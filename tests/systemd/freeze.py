"""Stops one thread of a process and lets the others run, until killed: a thread that hangs.

    python3 freeze.py PID NAME

prints `frozen`, and ends when the process does. A signal would stop all threads; ptrace(2) stops
one. It imports nothing of ours: it runs in a guest, on the guest's Python.
"""

import ctypes
import os
import sys
from pathlib import Path

_SEIZE, _INTERRUPT = 0x4206, 0x4207
_WALL = 0x40000000


def thread_called(pid: int, name: str) -> int:
    """Return the thread of a process that the kernel knows by this name.

    Raises:
        SystemExit: there is none.
    """
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise SystemExit(f"process {pid} has no thread {name}")


def freeze(thread: int) -> None:
    """Stop a thread; it goes on when this process ends.

    Raises:
        OSError: it may not be traced.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for request in (_SEIZE, _INTERRUPT):
        if libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), None, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(thread, _WALL)


if __name__ == "__main__":
    freeze(thread_called(int(sys.argv[1]), sys.argv[2]))
    sys.stdout.write("frozen\n")
    sys.stdout.flush()
    try:
        while True:
            os.waitpid(-1, _WALL)
    except ChildProcessError:
        pass
