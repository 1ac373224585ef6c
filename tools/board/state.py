"""A board that has booted, kept: from there another one is at work in two seconds."""

import time
from pathlib import Path

from tools.board.disk import layer
from tools.board.machine import Machine
from tools.board.models import start_virtual

_SETTLED = "systemctl status edge-daemon | grep -q 'tier high.*video healthy, audio healthy'"
_DISK = "disk.qcow2"
_MEMORY, _BOARD, _KERNEL = "memory.zst", "board", "kernel"


def save_state(directory: Path, board: Path, kernel: Path) -> None:
    """Boot the virtual board, wait until its daemon sees and hears, and keep it as it is then.

    It is kept as well where the daemon does not: why is for a test to find out.

    Raises:
        BoardError: it does not boot.
    """
    (directory / _BOARD).symlink_to(board)
    (directory / _KERNEL).symlink_to(kernel)
    layer(directory / _DISK, board / "disk.ext4", "raw")
    console = directory / "console"
    with start_virtual(board, kernel, directory / _DISK, console) as machine:
        machine.line.run("systemctl is-system-running --wait", 240.0)
        machine.line.run(f"until {_SETTLED}; do sleep 1; done", 60.0)
        machine.line.check("sync")
        machine.save(directory / _MEMORY)


def is_whole(state: Path) -> bool:
    """Return whether the board and the kernel that a state was made with are still there."""
    return (state / _BOARD).is_dir() and (state / _KERNEL).is_dir()


def restore(state: Path, scratch: Path) -> Machine:
    """Return a board that goes on from where it was kept; what it writes goes to a disk of its own.

    Args:
        state: the part with the state.
        scratch: a directory for its disk and console.

    Raises:
        BoardError: it does not answer.
    """
    layer(scratch / _DISK, state / _DISK, "qcow2")
    machine = start_virtual(
        state / _BOARD, state / _KERNEL, scratch / _DISK, scratch / "console", state / _MEMORY
    )
    machine.line.check(f"date --set @{time.time():.0f}")  # it slept until now
    return machine


def boot_again(state: Path, scratch: Path) -> Machine:
    """Return the board of `restore` after its power was cut, booted from what its disk then held.

    Raises:
        BoardError: it does not boot.
    """
    console = scratch / "second-console"
    return start_virtual(state / _BOARD, state / _KERNEL, scratch / _DISK, console)
