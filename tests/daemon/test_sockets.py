"""The daemon opens no socket to the network that its configuration does not ask for (strace)."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.daemon.running import PATIENCE_S, command, running, write_config

_SOCKET = re.compile(r"\b(?:socket|socketpair)\((\w+)")

STRACE = shutil.which("strace")


def _can_trace() -> bool:
    if STRACE is None:
        return False
    done = subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not _can_trace(), reason="strace is missing or may not trace here")


def families(trace: Path) -> set[str]:
    """Return the address families of all sockets that a traced process or a child asked for."""
    return set(_SOCKET.findall(trace.read_text(encoding="utf-8", errors="replace")))


def traced(*arguments: str, trace: Path) -> list[str]:
    """Return a command under strace, which is no parent of it: signals reach the command."""
    assert STRACE is not None
    options = ["-D", "-f", "-qq", "-e", "trace=socket,socketpair", "-o", str(trace)]
    return [STRACE, *options, "--", *arguments]


def test_the_tracer_sees_a_socket(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = "import socket; socket.socket(socket.AF_INET6).close(); socket.socketpair()"
    subprocess.run(traced(*command()[:1], "-c", program, trace=trace), check=True)
    assert {"AF_INET6", "AF_UNIX"} <= families(trace)


@pytest.mark.slow
def test_a_run_with_synthetic_sources_has_no_way_out(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "synthetic"},
        audio={"source": "synthetic"},
        window={"period_ms": 50},
    )
    trace = tmp_path / "trace"
    with running(config, tmp_path / "journal", prefix=traced(trace=trace)) as daemon:
        daemon.wait_for_event("reading")
        daemon.wait_for_event("prediction")
        assert daemon.stop(signal.SIGTERM) == 0
    assert families(trace) <= {"AF_UNIX"}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["bundle", "verify"], ["devices"], ["doctor"]])
def test_nor_have_the_commands(tmp_path: Path, arguments: list[str]) -> None:
    trace = tmp_path / "trace"
    done = subprocess.run(
        traced(*command(*arguments), trace=trace),
        capture_output=True,
        timeout=PATIENCE_S * 4,
        check=False,
    )
    assert done.stdout
    assert families(trace) <= {"AF_UNIX"}
