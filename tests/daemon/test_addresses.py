"""No address that could hold a password is told: wrong keys, devices that refuse, GStreamer."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.commands.options import load
from tests.daemon.running import DATA, PATIENCE_S, command, running, write_config

PASSWORD = "correct-horse"
URLS = [
    f"http://anna:{PASSWORD}@127.0.0.1:1/cam.mjpg?token={PASSWORD}",
    f"rtsp://anna:{PASSWORD}@127.0.0.1:1/1",
    f"souphttpsrc location=http://127.0.0.1:1/ user-id=anna user-pw={PASSWORD} ! appsink",
]


@pytest.fixture(params=URLS, ids=["http", "rtsp", "gstreamer"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_config(
        tmp_path / "config.yaml",
        video={"source": "camera", "device": request.param},
        audio={"source": "synthetic"},
        capture={"retry_first_s": 0.1},
        governor={"readings": str(DATA / "traces/calm.jsonl"), "reading_every_s": 1},
    )


@contextlib.contextmanager
def manager(directory: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Listen as systemd does; what was told is complete at the end."""
    address = str(directory / "notify")
    told: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        yield address, told
        listener.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                told.append(listener.recv(4096))


@pytest.mark.slow
def test_all_that_a_run_says(config: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with manager(tmp_path) as (address, told):
        environ = {"NOTIFY_SOCKET": address, "CAMERA_PASSWORD": PASSWORD}
        with running(config, journal, environ=environ) as daemon:
            daemon.wait_for(lambda line: line.get("state") == "reconnecting")
            daemon.wait_for_event("prediction")  # it runs, and so takes a SIGHUP
            good = config.read_text()
            config.write_text(good.replace('"device"', '"devise"'))
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for_event("reload")
            config.write_text(good.replace('"source": "camera", "device":', '"rate_hz":'))
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for(lambda line: "rate_hz" in str(line.get("error")))
            # As the watchdog does: the stacks of all threads.
            daemon.process.send_signal(signal.SIGABRT)
            assert daemon.process.wait(PATIENCE_S) != 0
    said = [daemon.log.read_bytes(), *told]
    said += [file.read_bytes() for file in journal.iterdir()]
    assert any(b"STATUS=" in text for text in told)
    for text in said:
        assert PASSWORD.encode() not in text, text


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["check"], ["doctor"]])
def test_all_that_a_command_says(config: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        command(*arguments, "--config", config),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,
        check=False,
        env={**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": "timeout;1000000"},
    )
    assert done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, False)])
def test_a_password_that_anybody_may_read_is_told_of(
    config: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    if os.geteuid() == 0:
        os.chown(config, 1234, 1234)
    config.chmod(mode)
    load(argparse.Namespace(config=config))
    told = [record.getMessage() for record in caplog.records]
    said = f"{config}: anybody may read the camera's password in it: chmod o-r {config}"
    assert told == [said] * warned


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_service_may_read_its_password_still(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config.chmod(0o644)  # root's, as the installer leaves it
    load(argparse.Namespace(config=config))
    assert f": sudo chgrp edge-daemon {config} && sudo chmod o-r {config}" in caplog.text


@pytest.mark.parametrize("device", ["0", "/dev/video0", "http://127.0.0.1:1/cam.mjpg"])
def test_an_address_without_a_password_may_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, device: str
) -> None:
    open_to_all = write_config(tmp_path / "config.yaml", video={"device": device})
    open_to_all.chmod(0o644)
    load(argparse.Namespace(config=open_to_all))
    assert caplog.text == ""
