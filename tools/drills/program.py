"""A program under drill: a process that appends JSON lines to a file and talks to stderr."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tools.drills.lines import Follower, Line, Wanted

Kind = Literal["daemon", "script", "sdk"]
"""The daemon, the usual script, or the Edge Impulse SDK's own loop over a camera."""

LOOK_S = 0.02
START_S = 30.0
"""How long a start may take on a busy machine."""


class StartError(Exception):
    """The program did not come to answer; the text has the end of what it said."""


class Program:
    """A process, the lines that it writes and what it says on stderr.

    Args:
        kind: which of them it is.
        command: its command line.
        file: where its lines go.
        log: a file that what it says on stderr is appended to.
        period_s: time from one of its answers to the next.
        environ: further variables.

    Attributes:
        kind: as above.
        period_s: as above.
        process: as it was started last.
        said: what came on stderr, with the CLOCK_MONOTONIC of its arrival in nanoseconds.
    """

    def __init__(
        self,
        kind: Kind,
        command: Sequence[str],
        file: Path,
        *,
        log: Path,
        period_s: float,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.period_s = period_s
        self.said: list[tuple[int, str]] = []
        self.follower = Follower(file)
        self._log = log
        self._command = command
        self._environ = {**os.environ, **(environ or {})}
        self._ears: list[threading.Thread] = []
        self.process = self._spawn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_peer(self) -> bool:
        """Whether it is somebody else's, that has promised nothing."""
        return self.kind != "daemon"

    @property
    def lines(self) -> list[Line]:
        """All lines so far."""
        self.follower.look()
        return self.follower.lines

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def start_again(self) -> None:
        """Start it once more, as a supervisor would; the old process has ended."""
        self.process = self._spawn()

    def settle(self, answers: int = 10) -> None:
        """Wait until it has answered so many windows.

        Raises:
            StartError: it ended, or took too long.
        """
        since_ns = time.monotonic_ns()

        def settled() -> bool:
            found = [line for line in self.lines if line.event == "prediction"]
            return sum(line.at_ns >= since_ns for line in found) >= answers

        if not self.wait_until(settled, START_S):
            self.close()
            raise StartError(f"{self.kind} gave no answers: {self.last_words(600)}")

    def wait_for(self, wanted: Wanted, since_ns: int, within_s: float) -> Line | None:
        """Return the first wanted line of an event since a moment; None when it does not come."""
        found: list[Line] = []

        def came() -> bool:
            found.extend(line for line in self.lines if line.at_ns >= since_ns and wanted(line))
            return bool(found)

        return found[0] if self.wait_until(came, within_s) else None

    def wait_until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait until a condition holds; return whether it came to that before the process ended."""
        deadline_s = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline_s or not self.running:
                return holds()
            time.sleep(LOOK_S)
        return True

    def go_on(self, seconds: float) -> None:
        """Let it run, and read along."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.follower.look()
            time.sleep(LOOK_S)

    def stop(self, within_s: float) -> int | None:
        """Send SIGTERM and return the exit code; None where it had to be killed."""
        code: int | None = None
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(within_s)
        self.close()
        return code

    def kill(self) -> None:
        """End it at once, as the kernel would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Make sure that nothing is left of it, and read what it wrote last."""
        if self.running:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        for ear in self._ears:
            ear.join(2.0)
        self.follower.look()

    def words(self, since_ns: int = 0) -> Iterator[tuple[int, str]]:
        """Yield what it has said on stderr since a moment."""
        return ((at_ns, text) for at_ns, text in list(self.said) if at_ns >= since_ns)

    def last_words(self, length: int) -> str:
        """Return the end of what it said."""
        return " | ".join(text for _, text in self.said)[-length:]

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self._environ
        )
        ear = threading.Thread(target=self._listen, args=(process,), daemon=True)
        ear.start()
        self._ears.append(ear)
        return process

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        with process.stderr as stream, self._log.open("ab", buffering=0) as log:
            for line in stream:
                log.write(line)
                text = line.decode("utf-8", "replace").rstrip()
                self.said.append((time.monotonic_ns(), text))
