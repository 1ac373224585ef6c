"""Disks that can be filled, broken and frozen: file systems of a few MiB, mounted for a drill."""

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tools.drills.needs import SkipError, need_programs, need_root

_FREEZE = 0xC0045877  # FIFREEZE and FITHAW of linux/fs.h
_THAW = 0xC0045878


class Disk:
    """A mounted file system.

    Args:
        path: where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> Path:
        """Take all room that is left; return the file that holds it."""
        filler = self.path / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        return filler


class Card(Disk):
    """An ext4 file system on a loop device, which breaks as an SD card's does.

    Args:
        path: where it is mounted; what lies below is read-only, so that nothing is written
            there in its absence.
        image: the file that holds it.
    """

    def __init__(self, path: Path, image: Path) -> None:
        super().__init__(path)
        self._image = image

    def mount(self) -> None:
        """Mount it, after a repair where it broke."""
        _run("e2fsck", "-p", str(self._image), may_fail=True)
        _run("mount", "-o", "loop", str(self._image), str(self.path))

    def unmount(self) -> None:
        """Unmount it as soon as nobody is inside."""
        for _ in range(50):
            if _run("umount", str(self.path), may_fail=True):
                return
            time.sleep(0.1)
        raise OSError(f"{self.path} is held by somebody")

    def give_up(self) -> None:
        """Make the file system detect an error: from now on it is read-only."""
        _run("mount", "-o", "remount,abort", str(self.path))

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let every write hang until the block ends."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _FREEZE, 0)
            try:
                yield
            finally:
                fcntl.ioctl(fd, _THAW, 0)
        finally:
            os.close(fd)


@contextlib.contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Disk]:
    """Mount a tmpfs of so many KiB."""
    need_root()
    need_programs("mount", "umount")
    path = folder / "disk"
    path.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(path))
    try:
        yield Disk(path)
    finally:
        _run("umount", "--lazy", str(path), may_fail=True)


@contextlib.contextmanager
def card(folder: Path) -> Iterator[Card]:
    """Make and mount an ext4 file system of 16 MiB."""
    need_root()
    need_programs("mount", "umount", "mkfs.ext4", "e2fsck")
    slot, image = folder / "slot", folder / "card.img"
    (slot / "card").mkdir(parents=True)
    image.touch()
    os.truncate(image, 16 * 2**20)
    _run("mkfs.ext4", "-q", str(image))
    _run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(slot))
    found = Card(slot / "card", image)
    found.path.mkdir()
    _run("mount", "-o", "remount,ro", str(slot))
    try:
        found.mount()
        yield found
    finally:
        _run("umount", "--lazy", str(found.path), may_fail=True)
        _run("umount", "--lazy", str(slot), may_fail=True)


def _run(*command: str, may_fail: bool = False) -> bool:
    """Run a command and return whether it succeeded; one that must not fail skips the drill."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not may_fail:
        raise SkipError(f"{' '.join(command[:3])} fails here: {done.stderr.strip()}")
    return done.returncode == 0
