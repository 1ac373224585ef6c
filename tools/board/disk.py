"""Disks: the board's own, and throw-away layers over it."""

from pathlib import Path

from tools.board.process import run

SIZE_MIB = 1024
"""A power of two: QEMU's SD cards are."""


def write_disk(target: Path, root: Path) -> None:
    """Write an ext4 file system with the contents of a directory, owners and all."""
    run(
        "mke2fs", "-q", "-t", "ext4", "-L", "board", "-E", "root_owner=0:0", "-d", root, target,
        f"{SIZE_MIB}M",
    )  # fmt: skip


def layer(target: Path, below: Path, kind: str) -> None:
    """Make a disk that shows another one, and takes what is written itself.

    Args:
        target: the new one, in qcow2.
        below: which is not written to.
        kind: its format, `raw` or `qcow2`.
    """
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", below, target)
