"""This machine once more: systemd as PID 1 in namespaces, on a throw-away layer over `/`."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

from tests.systemd.groups import Groups

BOOT_S = 60.0
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""That of a fresh login of root's, and not this one's."""


class GuestError(Exception):
    """It could not be started here; the text says why."""


class Guest:
    """A container that boots this system's own systemd; what it writes is gone afterwards.

    Args:
        directory: an empty one to mount in.
        binds: directories to show read-only, by their path in the guest.

    Attributes:
        root: its root as seen from here, without what the guest mounts (`/run`, `/tmp`).
        written: what it has written so far, over this machine's root.
    """

    def __init__(self, directory: Path, binds: Mapping[str, Path]) -> None:
        self.root = directory / "root"
        self._layer = directory / "layer"
        self.written = self._layer / "upper"
        self._binds = [f"--bind-ro={here}:{there}" for there, here in binds.items()]
        self._log = directory / "console.log"
        self._groups = Groups(f"guest-{os.getpid()}-{directory.name}")
        self._leader = 0
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            self._mount(held, self._layer, "-t", "tmpfs", "tmpfs")
            work = self._layer / "work"
            for path in (self.written, work):
                path.mkdir()
            layers = f"lowerdir=/,upperdir={self.written},workdir={work}"
            self._mount(held, self.root, "-t", "overlay", "overlay", "-o", layers)
            held.enter_context(self._groups)
            held.callback(self._end)
            self._boot()
            self._allow_limits()
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.run("systemctl", "poweroff", "--force")
        self._held.close()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest, as root."""
        return subprocess.run(
            self._entered(command), env=ENVIRONMENT, capture_output=True, text=True, timeout=120
        )

    @contextmanager
    def running(self, *command: str) -> Iterator[IO[str]]:
        """Run a command in the guest meanwhile, and yield what it prints; it is killed at the end.

        One that starts others must hand itself over to them (`exec`).
        """
        bound = ("setpriv", "--pdeathsig=KILL", *command)  # nsenter stays its parent
        with subprocess.Popen(
            self._entered(bound), env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.kill()

    def read(self, path: str) -> str:
        """Return the text of a file in the guest; empty while there is none."""
        return self.run("cat", path).stdout

    def write(self, path: str, text: str) -> None:
        """Write a file in the guest, with its directory."""
        self.run(
            "sh", "-c", 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"', "sh", path, text
        )

    def _entered(self, command: tuple[str, ...]) -> list[str]:
        enter = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        return [*enter, *command]

    def _boot(self) -> None:
        command = [
            # Powered off also where the tests are killed.
            "setpriv", "--pdeathsig=TERM", "systemd-nspawn", "--boot", "--quiet",
            f"--directory={self.root}", "--register=no", "--keep-unit", "--console=pipe",
            "--private-network", "--link-journal=no", *self._binds, "systemd.unit=basic.target",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            nspawn = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self._groups.join,
            )
        self._nspawn = nspawn
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")

        def booted() -> bool:
            if nspawn.poll() is not None:
                raise GuestError(f"systemd-nspawn: {self._console()}")
            found = children.read_text().split()
            self._leader = int(found[0]) if found else 0
            return bool(self._leader) and self._is_up()

        if not wait_until(booted, BOOT_S):
            raise GuestError(f"systemd did not boot: {self._console()}")

    def _allow_limits(self) -> None:
        """Let the guest's systemd write to its control groups, which it looks for at its start."""
        if not self._groups.shown:
            return
        for controller in self._groups.shown:
            mounted = self.run("readlink", "-f", f"/sys/fs/cgroup/{controller}").stdout.strip()
            self.run("mount", "-o", "remount,rw,bind", mounted)
        self.run("systemctl", "daemon-reexec")
        if not wait_until(self._is_up, BOOT_S):
            raise GuestError(f"systemd did not start again: {self._console()}")

    def _is_up(self) -> bool:
        return self.run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

    def _console(self) -> str:
        return self._log.read_text(errors="replace")

    def _end(self) -> None:
        """Wait until it has powered off; one that does not is killed with all that is in it."""
        if self._nspawn is None:
            return
        try:
            self._nspawn.wait(timeout=10 if self._leader else 0)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()

    @staticmethod
    def _mount(held: ExitStack, where: Path, *arguments: str) -> None:
        where.mkdir()
        done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, text=True)
        if done.returncode != 0:
            raise GuestError(f"mount: {done.stderr.strip()}")
        unmount = ["umount", "--lazy", str(where)]
        held.callback(subprocess.run, unmount, check=False, capture_output=True)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look every 100 ms whether a condition of another process holds; return whether it came."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
