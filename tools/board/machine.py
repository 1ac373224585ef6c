"""A virtual machine: a QEMU process, its console, its protocol, and the line to its agent."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tools.board.errors import BoardError
from tools.board.line import Line
from tools.board.qmp import Qmp

BOOT_S = 480.0
"""How long a board may take to answer: 20 to 80 s where it has the host's processors to itself."""


class Machine:
    """A machine under way, from its start to its end.

    Args:
        command: QEMU with the board's own arguments.
        console: a file for what the kernel says.
        agent: the arguments that put the line to the agent, a character device `agent`, somewhere.
        saved: a state to go on from instead of a boot.

    Attributes:
        line: to the agent.

    Raises:
        BoardError: QEMU is missing, or the board does not come up; with the end of its console.
    """

    def __init__(
        self, command: Sequence[str], console: Path, agent: Sequence[str], saved: Path | None = None
    ) -> None:
        # Not the test's directory: a socket's path must be short.
        self._sockets = tempfile.TemporaryDirectory(prefix="board-")
        base = Path(self._sockets.name)
        self._console = console
        self._qmp = base / "qmp"
        whole = [
            *command, "-nodefaults", "-no-reboot", "-display", "none",
            "-chardev", f"file,id=console,path={console}",
            "-chardev", f"socket,id=agent,path={base}/agent,server=on,wait=off",
            "-qmp", f"unix:{base}/qmp,server=on,wait=off", *agent,
        ]  # fmt: skip
        if saved is not None:
            whole += ["-incoming", f"exec:zstd -d -c -q {saved}"]
        self._errors = (base / "errors").open("w+b")
        self._process = subprocess.Popen(
            # It ends with us, however that comes about.
            ["setpriv", "--pdeathsig", "KILL", "--", *whole],
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
        )
        try:
            self._wait_for_qemu(resumes=saved is not None)
            self.line = Line(base / "agent")
            if saved is None:
                self.line.wait_for_hello(BOOT_S)
            self.line.check("true")
        except (BoardError, OSError) as error:
            said = f"{self._said()}\n{self.console()[-2000:]}"
            self.kill()
            raise BoardError(f"{error}\n{said}") from error
        except BaseException:
            self.kill()
            raise

    def console(self) -> str:
        """Return what the kernel has said so far."""
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    def save(self, path: Path) -> None:
        """Stop the machine for good and write its state: memory and devices, not the disk."""
        with Qmp(self._qmp) as qmp:
            qmp.ask("stop")
            qmp.ask("migrate", uri=f"exec:zstd -3 -q -f -o {path}")
            while (status := qmp.ask("query-migrate").get("status")) != "completed":
                if status in {"failed", "cancelled"}:
                    raise BoardError(f"the board's state could not be saved: {status}")
                time.sleep(0.05)
            qmp.ask("quit")
        self._process.wait(60)
        self._clean()

    def kill(self) -> None:
        """Cut the power: nothing is written any more, not even what the guest's kernel holds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)
        self._clean()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _wait_for_qemu(self, *, resumes: bool) -> None:
        deadline_s = time.monotonic() + 60.0
        while time.monotonic() < deadline_s:
            if self._process.poll() is not None:
                raise BoardError(f"qemu ended with exit code {self._process.returncode}")
            try:
                with Qmp(self._qmp) as qmp:
                    status = qmp.ask("query-status")["status"]
                    if resumes and status == "paused":  # as it was saved, and all of it is here
                        qmp.ask("cont")
                        status = "running"
                    if status == "running":
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise BoardError("qemu does not get ready")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()

    def _clean(self) -> None:
        if hasattr(self, "line"):
            self.line.close()
        self._errors.close()
        self._sockets.cleanup()
