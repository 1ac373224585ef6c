"""The first root file system: loads the modules that the real one is behind, and switches to it.

Debian's own initramfs-tools takes twenty minutes under emulation; this takes none.
"""

import gzip
import stat
from collections.abc import Iterator
from pathlib import Path

from tools.board.kernel import load_order

DISK_MODULES = (
    "virtio_pci", "virtio_blk", "bcm2835", "sdhci_iproc", "mmc_block", "crc32c_generic", "ext4",
)  # fmt: skip

INIT = """#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do busybox insmod $module; done
for word in $(busybox cat /proc/cmdline); do
    case $word in root=*) root=${word#root=} ;; esac
done
tries=0
while [ ! -e $root ] && [ $tries -lt 300 ]; do busybox sleep 0.1; tries=$((tries + 1)); done
busybox mount -t ext4 $root /root || exec busybox sh
busybox mount --move /dev /root/dev
busybox umount /proc
exec busybox switch_root /root /sbin/init
"""


def write_initrd(target: Path, busybox: Path, base: Path, release: str) -> None:
    """Write a compressed archive that the kernel unpacks.

    Args:
        target: the file.
        busybox: a static one, for the board.
        base: where `lib/modules` is.
        release: the kernel's.
    """
    files = dict.fromkeys(("bin", "dev", "modules", "proc", "root"), (stat.S_IFDIR | 0o755, b""))
    files["init"] = (stat.S_IFREG | 0o755, INIT.encode())
    files["bin/busybox"] = (stat.S_IFREG | 0o755, busybox.read_bytes())
    for place, path in enumerate(load_order(base, release, *DISK_MODULES)):
        files[f"modules/{place:02}-{path.name}"] = (stat.S_IFREG | 0o644, path.read_bytes())
    target.write_bytes(gzip.compress(b"".join(cpio(files)), compresslevel=6, mtime=0))


def cpio(files: dict[str, tuple[int, bytes]]) -> Iterator[bytes]:
    """Yield a cpio archive in the kernel's format, `newc` (its initramfs buffer format).

    Args:
        files: mode and contents by name; a directory before what is in it.
    """
    for inode, (name, (mode, contents)) in enumerate(files.items(), start=1):
        yield _entry(inode, name, mode, contents)
    yield _entry(0, "TRAILER!!!", 0, b"")


def _entry(inode: int, name: str, mode: int, contents: bytes) -> bytes:
    path = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    # inode, mode, uid, gid, links, mtime, size, device (2), device it stands for (2), name, check
    fields = (inode, mode, 0, 0, links, 0, len(contents), 0, 0, 0, 0, len(path), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + path) + _padded(contents)


def _padded(piece: bytes) -> bytes:
    return piece + b"\0" * (-len(piece) % 4)
