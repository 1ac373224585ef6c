"""What a daemon tells systemd, heard by a test."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.daemon.running import PATIENCE_S


class Notified:
    """The socket that systemd would listen on.

    Args:
        path: where to make it.

    Attributes:
        environ: what tells the daemon of it.
    """

    def __init__(self, path: Path) -> None:
        self.environ = {"NOTIFY_SOCKET": str(path)}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hear(self, wanted: Callable[[str], bool]) -> str:
        """Return the next line that is wanted."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for line in self._socket.recv(4096).decode().splitlines():
                if wanted(line):
                    return line
        raise AssertionError("systemd did not hear of it")
