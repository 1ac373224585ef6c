"""Lets this machine run programs for arm64, by qemu-user and the kernel's binfmt_misc."""

import os
import platform
from pathlib import Path

from tools.board.errors import BoardError
from tools.board.process import run

BINFMT = Path("/proc/sys/fs/binfmt_misc")
RULE = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
"""What the package qemu-user-static brings; systemd registers it, where there is a systemd."""

PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def ensure() -> None:
    """Make sure that programs for arm64 run, also in a root file system of their own.

    Raises:
        BoardError: not root, or the packages are missing.
    """
    if os.geteuid() != 0:
        raise BoardError("building the board takes root: it makes a root file system")
    if platform.machine() == "aarch64":
        return
    if not (BINFMT / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
    if (BINFMT / "qemu-aarch64").exists():
        return
    if not RULE.exists():
        raise BoardError(f"{RULE} is missing: install the package qemu-user-static")
    (BINFMT / "register").write_bytes(RULE.read_bytes().rstrip(b"\n"))


def enter(
    root: Path, *command: str, cpu: str = "cortex-a72", timeout_s: float | None = None
) -> str:
    """Return what a program prints that runs as root with another root directory.

    It has /proc, an empty /tmp that goes away with it, and /sys to read: without the processors in
    there the TFLite runtime leaves XNNPACK out, and plain kernels round differently.

    Args:
        root: the directory.
        command: looked for there.
        cpu: the processor to emulate; see `qemu-aarch64-static -cpu help`. The default one of qemu
            knows SME, whose kernels give wrong numbers under it.
        timeout_s: how long it may take.

    Raises:
        BoardError: as `run`.
    """
    script = (
        'mount -t sysfs -o ro sysfs "$0/sys"; mount -t tmpfs tmpfs "$0/tmp"; exec chroot "$0" "$@"'
    )
    return run(
        "unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={root}/proc",
        "env", "--ignore-environment", f"PATH={PATH}", "HOME=/root",
        f"QEMU_CPU={cpu}", "sh", "-euc", script, str(root), *command,
        timeout_s=timeout_s,
    )  # fmt: skip
