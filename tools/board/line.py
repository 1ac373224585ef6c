"""The host's end of the line to the agent in a board."""

import json
import shlex
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.board.errors import BoardError


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended.

    Attributes:
        code: its exit code; 124 where it ran out of time.
        output: standard output and error.
    """

    code: int
    output: str


class Line:
    """One command after the other; what is no answer to the last one is passed over.

    Args:
        path: of the socket that QEMU offers.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._waiting = b""
        self._number = time.monotonic_ns()  # no answer to somebody before us has this one

    def wait_for_hello(self, timeout_s: float) -> None:
        """Wait until a board that boots has started its agent, and send nothing before.

        What is sent to the Raspberry Pi's serial line earlier can block it for good: when the
        driver empties the line's buffer, QEMU does not notice that there is room again.

        Raises:
            BoardError: it does not.
        """
        deadline_s = time.monotonic() + timeout_s
        try:
            while (said := self._read(deadline_s)) is not None:
                if "hello" in said:
                    return
        except TimeoutError:
            raise BoardError(f"the board's agent did not start within {timeout_s:g} s") from None
        raise BoardError("the board went away while it booted")

    def run(self, command: str, timeout_s: float = 60.0, grace_s: float = 30.0) -> Done:
        """Run a shell command in the board.

        Args:
            command: for `sh -c`.
            timeout_s: after which the agent kills it.
            grace_s: how much longer to wait for the agent itself.

        Raises:
            TimeoutError: the agent does not answer.
            BoardError: the machine is gone.
        """
        self._number += 1
        request = {"id": self._number, "command": command, "timeout_s": timeout_s}
        # A line of its own even after half a one.
        self._socket.settimeout(timeout_s + grace_s)
        self._socket.sendall(b"\n" + json.dumps(request).encode() + b"\n")
        deadline_s = time.monotonic() + timeout_s + grace_s
        while (reply := self._read(deadline_s)) is not None:
            # A serial line echoes what it is sent until the agent has it.
            if reply.get("id") == self._number and "code" in reply:
                return Done(reply["code"], reply["output"])
        raise BoardError(f"the board went away during: {command}")

    def check(self, command: str, timeout_s: float = 60.0) -> str:
        """Return the output of a command that must succeed.

        Raises:
            BoardError: it failed.
        """
        done = self.run(command, timeout_s)
        if done.code != 0:
            raise BoardError(f"in the board: {command}: exit code {done.code}\n{done.output}")
        return done.output

    def write(self, path: str, text: str) -> None:
        """Write a file in the board at once, as sysfs wants it."""
        self.check(f"printf %s {shlex.quote(text)} > {shlex.quote(path)}")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self, deadline_s: float) -> dict[str, Any] | None:
        """Return the next line that is an object; None at the end."""
        while True:
            while b"\n" not in self._waiting:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError
                self._socket.settimeout(left_s)
                piece = self._socket.recv(65536)
                if not piece:
                    return None
                self._waiting += piece
            line, self._waiting = self._waiting.split(b"\n", 1)
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
