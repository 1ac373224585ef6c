"""Network cameras as they are: with passwords, and with bad days."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from edge_daemon.capture.camera import OpenCvCamera
from edge_daemon.capture.liveness import State
from edge_daemon.capture.source import SourceError
from edge_daemon.clock import monotonic_ns
from tests.capture.rtsp import Mode, RtspServer, rtsp_server
from tests.capture.test_camera import Watch

USER, PASSWORD = "anna", "s3cret"


@pytest.fixture
def server() -> Iterator[RtspServer]:
    try:
        with rtsp_server(USER, PASSWORD) as started:
            yield started
    except OSError as error:
        pytest.skip(str(error))


def camera_at(server: RtspServer, password: str = PASSWORD) -> OpenCvCamera:
    return OpenCvCamera(
        f"rtsp://{USER}:{password}@127.0.0.1:{server.port}/live",
        rate_hz=30.0,
        open_timeout_ms=1000,
        read_timeout_ms=400,
    )


def test_it_is_seen_with_the_password_and_not_without(server: RtspServer) -> None:
    camera = camera_at(server)
    assert camera.open().startswith("320×240")
    assert camera.read().image.shape == (240, 320, 3)
    camera.close()
    assert server.refused == 1, "the first request goes without, as the protocol has it"
    wrong = camera_at(server, "guess")
    with pytest.raises(SourceError, match="check the address"):
        wrong.open()
    assert server.refused > 1


@pytest.mark.parametrize("mode", ["stall", "drop"])
def test_it_is_found_again_after_a_bad_day(server: RtspServer, mode: Mode) -> None:
    with Watch(camera_at(server), stall_s=5.0) as watch:
        seen = watch.wait_for(State.HEALTHY)
        watch.wait_for_frames(5)
        server.mode = mode
        seen = watch.wait_for(State.RECONNECTING, seen)
        assert "gave no frame" in watch.events[seen - 1].detail
        before = len(watch.frames)
        server.mode = "ok"
        watch.wait_for(State.HEALTHY, seen)
        watch.wait_for_frames(before + 5)
    assert not any(PASSWORD in event.detail + event.name for event in watch.events)


def test_no_stale_picture_is_given_out_after_a_stall(server: RtspServer) -> None:
    camera = camera_at(server)
    camera.open()
    for _ in range(5):
        camera.read()
    server.mode = "stall"
    stalled_ns = monotonic_ns()
    times = []
    with pytest.raises(SourceError, match="gave no frame"):
        while True:
            times.append(camera.read().captured_ns)
    camera.close()
    assert all(time_ns < stalled_ns + 400_000_000 for time_ns in times)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ffmpeg_at(url: str) -> "subprocess.Popen[bytes]":
    """A program that serves MJPEG to one client, as ffmpeg does it."""
    source = "-v quiet -re -f lavfi -i testsrc2=size=320x240:rate=30 -f mpjpeg -listen 1"
    return subprocess.Popen(["ffmpeg", *source.split(), url])


@pytest.mark.parametrize("last", [signal.SIGSTOP, signal.SIGKILL])
def test_a_program_that_serves_pictures_hangs_or_dies_and_is_started_again(
    last: signal.Signals,
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg")
    url = f"http://127.0.0.1:{free_port()}/cam.mjpg"
    camera = OpenCvCamera(url, rate_hz=30.0, open_timeout_ms=500, read_timeout_ms=400)
    first = ffmpeg_at(url)
    try:
        with Watch(camera, stall_s=5.0) as watch:
            watch.wait_for_frames(5)
            seen = len(watch.events)
            first.send_signal(last)
            seen = watch.wait_for(State.RECONNECTING, seen)
            first.kill()
            first.wait()
            before = len(watch.frames)
            second = ffmpeg_at(url)
            try:
                watch.wait_for(State.HEALTHY, seen)
                watch.wait_for_frames(before + 5)
            finally:
                second.kill()
                second.wait()
    finally:
        first.kill()
        first.wait()
