"""A camera's password stays in the config: all that the daemon puts out is searched for it."""

import contextlib
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capture.rtsp import RtspServer, rtsp_server
from tests.daemon.running import DATA, PATIENCE_S, command, running, write_config

USER, PASSWORD, KEY = "anna-u53r", "s3cr3t/p4ss", "k3y"


@pytest.fixture
def server() -> Iterator[RtspServer]:
    try:
        # FFmpeg decodes what a URL has to encode.
        with rtsp_server(USER, PASSWORD) as started:
            yield started
    except OSError as error:
        pytest.skip(str(error))


def config_for(path: Path, server: RtspServer, password: str = PASSWORD) -> Path:
    quoted = password.replace("/", "%2F")
    return write_config(
        path,
        video={
            "source": "camera",
            "device": f"rtsp://{USER}:{quoted}@127.0.0.1:{server.port}/live?key={KEY}",
        },
        audio={"source": "none"},
        capture={"stall_s": 0.5, "retry_first_s": 0.05, "retry_max_s": 0.2},
        governor={"readings": str(DATA / "traces" / "calm.jsonl")},
        log={"level": "debug"},
    )


def printed(*arguments: str | Path) -> str:
    """Return all that a command prints, whatever its exit code."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    return done.stdout + done.stderr


def listen(systemd: socket.socket, told: list[str]) -> None:
    """Keep what the daemon tells systemd, until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            told.append(systemd.recv(65536).decode())


def test_no_output_tells_the_camera_s_password(tmp_path: Path, server: RtspServer) -> None:
    config = config_for(tmp_path / "config.yaml", server)
    journal = tmp_path / "journal"
    said: dict[str, str] = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        status: list[str] = []
        threading.Thread(target=listen, args=(systemd, status), daemon=True).start()
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "PYTHONFAULTHANDLER": "1"}
        with running(config, journal, environ=environ) as daemon:
            seen = daemon.wait_for_event("capture", state="healthy")
            for mode in ("stall", "drop"):
                server.mode = mode
                lost = daemon.wait_for_event("capture", after=seen["seq"], state="failed")
                server.mode = "ok"
                seen = daemon.wait_for_event("capture", after=lost["seq"], state="healthy")
            config_for(config, server, "0th3r/p4ss")
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for_event("reload", after=seen["seq"])
            config.write_text("video: {device: [rtsp://" + f"{USER}:{PASSWORD}@h]" + "}\n")
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for(lambda line: line["event"] == "reload" and bool(line["error"]))
            daemon.process.send_signal(signal.SIGABRT)  # as systemd's watchdog does
            assert daemon.process.wait(PATIENCE_S) == -signal.SIGABRT
            said["log"] = daemon.log.read_text()
        said["status"] = "\n".join(status)
    said["journal"] = "".join(path.read_text() for path in journal.glob("*.jsonl"))
    said["refused"] = printed("check", "--config", config)
    config_for(config, server)
    said["check"] = printed("check", "--config", config)
    config_for(config, server, "wr0ng/p4ss")
    said["trouble"] = printed("check", "--config", config)
    for name in ("tail", "explain", "replay-governor"):
        said[name] = printed(name, journal)
    # Searching what says nothing would find nothing.
    assert "camera rtsp://***@127.0.0.1" in said["journal"]
    assert "camera rtsp://***@127.0.0.1" in said["log"]
    assert "Fatal Python error" in said["log"]
    assert "rtsp://***@127.0.0.1" in said["check"] and "320×240" in said["check"]
    assert "rtsp://***@127.0.0.1" in said["trouble"] and "trouble" in said["trouble"]
    assert "video healthy" in said["status"]
    assert "rtsp://***@" in said["tail"]
    for where, text in said.items():
        for secret in (USER, PASSWORD, PASSWORD.replace("/", "%2F"), "p4ss", KEY):
            assert secret not in text, f"{where} tells {secret}"


@pytest.mark.parametrize("ending", ["exit 3", "exec sleep 60", "echo nothing"])
def test_no_output_tells_what_a_gauge_was_told(tmp_path: Path, ending: str) -> None:
    script = tmp_path / "ups.sh"
    script.write_text(
        f'echo "no entry to http://{USER}:$1@ups/?key={KEY}, $1" >&2\n{ending} "$1"\n'
    )
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "synthetic"},
        audio={"source": "none"},
        governor={
            "reading_every_s": 1.0,
            "battery_gauge": {
                "command": ["/bin/sh", str(script), PASSWORD],
                "every_s": 1.0,
                "timeout_s": 0.5,
                "max_age_s": 5.0,
            },
        },
        log={"level": "debug"},
    )
    journal = tmp_path / "journal"
    with running(config, journal) as daemon:
        daemon.wait_for(
            lambda line: line["event"] == "reading"
            and "battery" in line["reading"].get("failed", {})
        )
        assert daemon.stop() == 0
        log = daemon.log.read_text()
    told = (
        log
        + "".join(path.read_text() for path in journal.glob("*.jsonl"))
        + printed("tail", journal)
    )
    assert f"/bin/sh {script}" in told
    for secret in (USER, PASSWORD, "p4ss", KEY):
        assert secret not in told
