"""This machine once more: systemd as PID 1 in namespaces, on a throw-away layer over `/`."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self


class GuestError(Exception):
    """It could not be started here; the text says why."""


class Guest:
    """A container that boots this system's own systemd; what it writes is gone afterwards.

    Args:
        directory: an empty one to mount in.
        binds: directories to show read-only, by their path in the guest.
    """

    def __init__(self, directory: Path, binds: Mapping[str, Path]) -> None:
        self._layer = directory / "layer"
        self._root = directory / "root"
        self._binds = [f"--bind-ro={here}:{there}" for there, here in binds.items()]
        self._log = directory / "console.log"
        self._leader = 0

    def __enter__(self) -> Self:
        self._layer.mkdir()
        self._root.mkdir()
        _mount("-t", "tmpfs", "tmpfs", str(self._layer))
        try:
            for name in ("upper", "work"):
                (self._layer / name).mkdir()
            layers = f"lowerdir=/,upperdir={self._layer}/upper,workdir={self._layer}/work"
            _mount("-t", "overlay", "overlay", "-o", layers, str(self._root))
            try:
                self._boot()
            except GuestError:
                self._unmount(self._root)
                raise
        except GuestError:
            self._unmount(self._layer)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run("systemctl", "poweroff", "--force")
        self._end()
        self._unmount(self._root)
        self._unmount(self._layer)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest."""
        enter = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=120)

    def read(self, path: str) -> str:
        """Return the text of a file in the guest; empty while there is none."""
        return self.run("cat", path).stdout

    def write(self, path: str, text: str) -> None:
        """Write a file in the guest, with its directory."""
        self.run(
            "sh", "-c", 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"', "sh", path, text
        )

    def _boot(self) -> None:
        command = [
            "systemd-nspawn", "--boot", "--quiet", f"--directory={self._root}", "--register=no",
            "--keep-unit", "--console=pipe", "--private-network", "--link-journal=no",
            *self._binds, "systemd.unit=basic.target",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._nspawn = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")

        def booted() -> bool:
            if self._nspawn.poll() is not None:
                raise GuestError(f"systemd-nspawn: {self._log.read_text(errors='replace')}")
            found = children.read_text().split()
            self._leader = int(found[0]) if found else 0
            if not self._leader:
                return False
            state = self.run("systemctl", "is-system-running").stdout.strip()
            return state in {"running", "degraded"}

        if not wait_until(booted, 30.0):
            self._end()
            raise GuestError(f"systemd did not boot: {self._log.read_text(errors='replace')}")

    def _end(self) -> None:
        try:
            self._nspawn.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()

    @staticmethod
    def _unmount(where: Path) -> None:
        subprocess.run(["umount", "--lazy", str(where)], check=False, capture_output=True)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look every 100 ms whether a condition of another process holds; return whether it came."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise GuestError(f"mount: {done.stderr.strip()}")
