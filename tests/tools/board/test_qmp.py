import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.board.errors import BoardError
from tools.board.qmp import Qmp

ANSWERS: dict[str, list[dict[str, object]]] = {
    "qmp_capabilities": [{"return": {}}],
    "query-status": [{"event": "RESUME"}, {"return": {"status": "running"}}],
    "migrate": [{"error": {"class": "GenericError", "desc": "no such file"}}],
    "quit": [],
}


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A socket at which something answers as QEMU does."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "qmp"))
    server.listen()

    def serve() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rwb") as lines:
            lines.write(b'{"QMP": {"version": {}}}\n')
            lines.flush()
            for line in lines:
                command = json.loads(line)["execute"]
                for answer in ANSWERS[command]:
                    lines.write(json.dumps(answer).encode() + b"\n")
                lines.flush()
                if command == "quit":
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield tmp_path / "qmp"
    thread.join(5.0)
    server.close()


def test_events_are_passed_over(path: Path) -> None:
    with Qmp(path) as qmp:
        assert qmp.ask("query-status") == {"status": "running"}


def test_a_refusal_is_said_with_its_reason(path: Path) -> None:
    with Qmp(path) as qmp, pytest.raises(BoardError, match="migrate: no such file"):
        qmp.ask("migrate", uri="exec:cat > /nowhere")


def test_an_end_is_said(path: Path) -> None:
    with Qmp(path) as qmp, pytest.raises(BoardError, match="ended while asked to quit"):
        qmp.ask("quit")


def test_nobody_there_is_for_the_caller(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Qmp(tmp_path / "qmp")
