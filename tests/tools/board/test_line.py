"""The host's end of the line against the guest's own agent, over a socket in place of the port."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.board import rootfs
from tools.board.errors import BoardError
from tools.board.line import Line

AGENT = rootfs.GUEST / "opt/board"


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[socket.socket]:
    """The guest's side of a line; the host's is at `line` in the test's directory."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "line"))
    server.listen()
    yield server
    server.close()


@pytest.fixture
def line(tmp_path: Path, guest: socket.socket) -> Iterator[Line]:
    """A line with the agent at its other end."""
    found = Line(tmp_path / "line")
    connection, _ = guest.accept()
    program = f"import agent; agent.serve({connection.fileno()})"
    process = subprocess.Popen(
        [sys.executable, "-B", "-c", program], cwd=AGENT, pass_fds=[connection.fileno()]
    )
    connection.close()
    yield found
    found.close()
    process.kill()
    process.wait()


def test_the_agent_says_when_it_is_there(line: Line) -> None:
    line.wait_for_hello(30.0)
    assert line.check("echo here") == "here\n"


def test_an_agent_that_does_not_start_is_said(tmp_path: Path, guest: socket.socket) -> None:
    found = Line(tmp_path / "line")
    connection, _ = guest.accept()
    connection.sendall(b"[ 0.1] kernel noise\n")
    with pytest.raises(BoardError, match="did not start within"):
        found.wait_for_hello(0.3)
    connection.close()
    with pytest.raises(BoardError, match="went away while it booted"):
        found.wait_for_hello(30.0)
    found.close()


def test_a_command_gives_its_output_and_exit_code(line: Line) -> None:
    done = line.run("echo out; echo err >&2; exit 3")
    assert (done.code, done.output) == (3, "out\nerr\n")
    assert line.check("printf 'grüße\\n%s' \"$((6 * 7))\"") == "grüße\n42"


def test_a_command_that_takes_too_long_is_ended(line: Line) -> None:
    done = line.run("echo begun; sleep 60", timeout_s=0.3)
    assert done.code == 124
    assert line.check("echo next") == "next\n"


def test_a_command_that_must_succeed_says_how_it_failed(line: Line) -> None:
    with pytest.raises(BoardError, match="exit code 1\nno such thing"):
        line.check("echo no such thing; false")


def test_a_file_is_written_as_it_is(line: Line, tmp_path: Path) -> None:
    text = 'it\'s 100 % "quoted"\\n\n'
    line.write(str(tmp_path / "file"), text)
    assert (tmp_path / "file").read_text(encoding="utf-8") == text


def test_much_output_comes_whole(line: Line) -> None:
    assert len(line.check("head -c 1000000 /dev/zero | tr '\\0' x")) == 1_000_000


def test_what_is_no_answer_is_passed_over(tmp_path: Path, guest: socket.socket) -> None:
    found = Line(tmp_path / "line")
    connection, _ = guest.accept()
    connection.sendall(b'\x00[ 1.2] kernel noise\n{"id": 1, "code": 0, "output": "old"}\n[1]\n')

    def answer() -> None:
        request = connection.recv(65536).decode().strip()
        connection.sendall(f"{request}\r\n".encode())  # a terminal's echo
        number = request.split('"id": ')[1].split(",")[0]
        connection.sendall(f'{{"id": {number}, "code": 0, "output": "new"}}\n'.encode())

    thread = threading.Thread(target=answer)
    thread.start()
    assert found.run("true").output == "new"
    thread.join()
    found.close()
    connection.close()


def test_a_machine_that_goes_away_is_said(tmp_path: Path, guest: socket.socket) -> None:
    found = Line(tmp_path / "line")
    connection, _ = guest.accept()
    threading.Timer(0.1, connection.close).start()
    with pytest.raises((BoardError, OSError)):
        found.run("sleep 1")
    found.close()
