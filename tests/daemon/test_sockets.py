"""The daemon opens no socket to the network that its configuration does not ask for (strace)."""

import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.cli import COMMANDS
from tests.capture.pulse import PulseServer, pulse_server
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


@pytest.fixture
def pulse() -> Iterator[PulseServer]:
    # Below /tmp itself: the path of a socket is at most 108 bytes long.
    with (
        tempfile.TemporaryDirectory(prefix="pulse-") as runtime,
        pulse_server(Path(runtime)) as server,
    ):
        yield server


@pytest.mark.slow
@pytest.mark.pulseaudio
def test_nor_has_one_with_a_microphone(tmp_path: Path, pulse: PulseServer) -> None:
    config = write_config(
        tmp_path / "config.yaml", video={"source": "none"}, audio={"source": "microphone"}
    )
    journal, trace = tmp_path / "journal", tmp_path / "trace"
    prefix = traced(trace=trace)
    with running(config, journal, environ=pulse.environment, prefix=prefix) as daemon:
        daemon.wait_for_event("capture", source="audio", state="healthy")
        assert daemon.stop(signal.SIGTERM) == 0
    assert families(trace) == {"AF_UNIX"}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal for the commands that read one."""
    directory = tmp_path_factory.mktemp("sockets") / "journal"
    done = subprocess.run(
        command("demo", "--lockstep", "--journal", directory), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return directory


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "run"])
def test_nor_have_the_commands(tmp_path: Path, journal: Path, name: str) -> None:
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "synthetic"},
        audio={"source": "synthetic"},
        journal={"directory": str(tmp_path)},
    )
    arguments: dict[str, list[str | Path]] = {
        "bench": ["--only", "poll", "--config", config],
        "bundle": ["verify"],
        "check": ["--config", config],
        "demo": ["--lockstep", "--journal", tmp_path / "demo"],
        "explain": [journal],
        "profile": ["--quick", "--anyway", "--config", config, "--out", tmp_path / "profile.json"],
        "replay-governor": [journal],
        "tail": [journal, "--no-follow"],
    }
    trace = tmp_path / "trace"
    done = subprocess.run(
        traced(*command(name, *arguments.get(name, [])), trace=trace),
        capture_output=True,
        timeout=PATIENCE_S * 4,
        check=False,
    )
    assert done.stdout, done.stderr
    assert families(trace) <= {"AF_UNIX"}
