"""QEMU's machine protocol: one JSON object a line over a Unix socket."""

import json
import socket
from pathlib import Path
from typing import Any, Self

from tools.board.errors import BoardError


class Qmp:
    """A connection to one machine; events are passed over.

    Args:
        path: of the socket.
        timeout_s: for each answer.

    Raises:
        OSError: nothing listens there yet.
    """

    def __init__(self, path: Path, timeout_s: float = 60.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
            self._lines = self._socket.makefile("rb")
            self._lines.readline()  # its greeting
            self.ask("qmp_capabilities")
        except OSError:
            self._socket.close()
            raise

    def ask(self, command: str, **arguments: object) -> Any:
        """Return the answer to a command.

        Raises:
            BoardError: the machine refuses it, or is gone.
        """
        request = json.dumps({"execute": command, "arguments": arguments})
        self._socket.sendall(request.encode() + b"\n")
        for line in self._lines:
            reply = json.loads(line)
            if "error" in reply:
                raise BoardError(f"qemu: {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise BoardError(f"qemu ended while asked to {command}")

    def close(self) -> None:
        """Close the connection; the machine goes on."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
