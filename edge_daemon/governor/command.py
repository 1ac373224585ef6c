"""Runs a short program of the user's and takes what it prints, whatever it does."""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from edge_daemon.redaction import redact
from edge_daemon.signals import unblock

MOST_BYTES = 4096
"""More output is an error; the program's writes beyond it fail."""

_LOOK_S = 0.02
_SHORT = 4
_DIE_S = 1.0


class CommandError(ValueError):
    """A program did not do its work; the text says how it ended and what it complained of."""


class Command:
    """A program with its arguments; there is no shell in between.

    It runs in a session of its own, reads nothing, and is killed when its time is up, together
    with what it left behind in that session, also when it ended in time. What it writes goes to
    memory of a fixed size and not through a pipe: neither a flood nor a grandchild that keeps its
    output open can hold up the reader.

    Args:
        arguments: the program and its arguments.
        timeout_s: the longest it may run.
    """

    def __init__(self, arguments: Sequence[str], timeout_s: float) -> None:
        self._arguments = tuple(arguments)
        self._timeout_s = timeout_s
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The program, with the script that it runs; other arguments may hold a password."""
        program, *others = self._arguments
        script = others[0] if others and others[0].startswith("/") else ""
        return f"{program} {script}".rstrip()

    def shown(self, text: str) -> str:
        """Return what the program said, without what it was told in confidence."""
        for argument in self._arguments[1:]:
            if len(argument) >= _SHORT and not argument.startswith("/"):
                text = text.replace(argument, "***")
        return redact(text)

    def output(self, stop: threading.Event | None = None) -> str:
        """Run it and return what it printed.

        Args:
            stop: ends the run early when set.

        Raises:
            CommandError: it cannot be started, ran for too long, failed or printed too much, or
                its last run can still not be killed.
        """
        stop = stop or threading.Event()
        if self._running is not None and self._running.poll() is None:
            raise CommandError(f"{self.name} hangs in a driver and cannot be killed")
        with ExitStack() as held:
            try:
                out, complaints = _bounded("output", held), _bounded("complaints", held)
                process = self._running = subprocess.Popen(
                    self._arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=complaints,
                    start_new_session=True,
                    preexec_fn=unblock,
                )
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                raise CommandError(f"{self.name} cannot be started: {error}") from None
            ended = _wait(process, self._timeout_s, stop)
            _end(process)
            printed, complained = _written(out), _written(complaints)
        because = f": {self.shown(complained)[-200:]}" if complained else ""
        if not ended:
            why = "was stopped" if stop.is_set() else f"ran for more than {self._timeout_s:g} s"
            raise CommandError(f"{self.name} {why} and was killed{because}")
        if len(printed) >= MOST_BYTES:
            raise CommandError(f"{self.name} prints more than {MOST_BYTES} bytes")
        if process.returncode != 0:
            raise CommandError(f"{self.name} {_ending(process.returncode)}{because}")
        return printed


def _bounded(name: str, held: ExitStack) -> int:
    """Return a file in memory that cannot grow (memfd_create(2), fcntl(2) on seals)."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    held.callback(os.close, descriptor)
    os.ftruncate(descriptor, MOST_BYTES)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


def _written(descriptor: int) -> str:
    data = os.pread(descriptor, MOST_BYTES, 0)
    return data.rstrip(b"\0").decode("utf-8", "replace").strip()


def _wait(process: "subprocess.Popen[bytes]", timeout_s: float, stop: threading.Event) -> bool:
    """Return whether the program ended in time; it is not reaped, so its number stays its own."""
    deadline_s = time.monotonic() + timeout_s
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, options) is None:
        if time.monotonic() >= deadline_s or stop.wait(_LOOK_S):
            return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of the program's session, and take its exit status."""
    with suppress(ProcessLookupError, PermissionError):  # the latter: it runs as somebody else
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_DIE_S)


def _ending(code: int) -> str:
    if code >= 0:
        return f"failed with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
