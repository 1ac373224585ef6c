import os
import resource
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.blank import black_picture
from edge_daemon.capture.camera import OpenCvCamera
from edge_daemon.capture.feed import Feed
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.picture import Region
from edge_daemon.capture.source import Frame, SourceError
from edge_daemon.clock import monotonic_ns
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker
from tests.capture.mjpeg import MjpegServer, mjpeg_server, picture

FOREVER_S = 20.0


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    with mjpeg_server() as started:
        yield started


class Watch:
    """A feed on a camera, and what it reported so far."""

    def __init__(
        self,
        camera: OpenCvCamera,
        stall_s: float,
        remarks: Sequence[Callable[[Frame | None, int], str | None]] = (),
    ) -> None:
        self.events: list[Capture] = []
        self.frames: list[Frame] = []
        self._changed = threading.Condition()
        self.feed: Feed[Frame] = Feed(
            "video",
            camera,
            self._see,
            liveness=Liveness(stall_s),
            clock=monotonic_ns,
            on_change=self._note,
            retry=Backoff(0.001, 0.01),
            remarks=remarks,
        )
        self._worker = Worker("video", self.feed.run)

    def __enter__(self) -> "Watch":
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._worker.stop(timeout_s=FOREVER_S)

    def wait_for(self, state: State, after: int = 0) -> int:
        """Wait for an event with `state` behind the first `after`; return how many there are."""
        for _ in range(round(FOREVER_S / 0.02)):
            self.feed.check(monotonic_ns())  # as the daemon does, from another thread
            with self._changed:
                if state in [event.state for event in self.events[after:]]:
                    return len(self.events)
                self._changed.wait(0.02)
        raise AssertionError(f"no {state} in {self.events[after:]}")

    def wait_for_frames(self, count: int) -> None:
        """Wait until `count` frames came in all."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.frames) >= count, FOREVER_S)

    def _note(self, event: Capture) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def _see(self, frame: Frame) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()


def camera_at(server: MjpegServer, may_repeat: bool = False) -> OpenCvCamera:
    return OpenCvCamera(
        server.url,
        rate_hz=60.0,
        may_repeat=may_repeat,
        open_timeout_ms=400,
        read_timeout_ms=400,
    )


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_delivers_pictures_with_times_and_says_what_it_negotiated(server: MjpegServer) -> None:
    camera = camera_at(server)
    before_ns = monotonic_ns()
    camera.open()
    frames = [camera.read() for _ in range(5)]
    assert camera.negotiated is not None
    assert camera.negotiated[:2] == (160, 120)
    assert camera.negotiated.backend == "FFMPEG"
    camera.close()
    times = [frame.captured_ns for frame in frames]
    assert before_ns < times[0]
    assert times == sorted(set(times))
    assert times[-1] <= monotonic_ns()
    assert all(frame.image.shape == (120, 160, 3) for frame in frames)
    greys = [float(frame.image[60:, 80:].mean()) for frame in frames]
    assert all(later > earlier for earlier, later in pairwise(greys))
    with pytest.raises(SourceError, match="not open"):
        camera.read()


def test_rotates_and_crops(server: MjpegServer) -> None:
    camera = OpenCvCamera(server.url, rotate_deg=90, region=Region(0.75, 0, 0.25, 0.25))
    camera.open()
    image = camera.read().image
    camera.close()
    assert image.shape == (40, 30, 3)
    assert image[:38, 2:].min() > 200, "the white patch of the upper left is now upper right"


def test_frames_faster_than_the_rate_are_skipped(server: MjpegServer) -> None:
    camera = OpenCvCamera(server.url, rate_hz=20.0)
    camera.open()
    times = [camera.read().captured_ns for _ in range(6)]
    camera.close()
    period_ns = 50_000_000
    for number, captured_ns in enumerate(times):
        assert captured_ns - times[0] >= (number - 0.5) * period_ns


def test_a_stalled_stream_is_seen_given_up_and_found_again(server: MjpegServer) -> None:
    with Watch(camera_at(server), stall_s=0.2) as watch:
        seen = watch.wait_for(State.HEALTHY)
        server.mode = "stall"
        seen = watch.wait_for(State.STALLED, seen)
        seen = watch.wait_for(State.RECONNECTING, seen)
        server.mode = "ok"
        watch.wait_for(State.HEALTHY, seen)
        assert watch.feed.counts.reconnects == 1
        assert "gave no frame" in watch.events[seen - 1].detail


def test_a_dropped_connection_fails_and_is_found_again(server: MjpegServer) -> None:
    with Watch(camera_at(server), stall_s=5.0) as watch:
        seen = watch.wait_for(State.HEALTHY)
        server.mode = "drop"
        seen = watch.wait_for(State.RECONNECTING, seen)
        seen = watch.wait_for(State.FAILED, seen)
        server.mode = "ok"
        watch.wait_for(State.HEALTHY, seen)


def test_a_picture_that_does_not_change_is_a_stall(server: MjpegServer) -> None:
    with Watch(camera_at(server), stall_s=0.2) as watch:
        seen = watch.wait_for(State.HEALTHY)
        server.mode = "repeat"
        seen = watch.wait_for(State.STALLED, seen)
        seen = watch.wait_for(State.RECONNECTING, seen)
        assert "repeats the same picture" in watch.events[seen - 1].detail
        seen = watch.wait_for(State.FAILED, seen)
        withheld = len(watch.frames)
        server.mode = "ok"
        watch.wait_for(State.HEALTHY, seen)
        watch.wait_for_frames(withheld + 5)
        greys = {int(frame.image[100, 100, 0]) for frame in watch.frames[withheld:]}
        assert len(greys) > 1


def test_a_picture_may_stay_the_same_where_that_is_said(server: MjpegServer) -> None:
    server.show = lambda _number: picture(7)
    with Watch(camera_at(server, may_repeat=True), stall_s=0.1) as watch:
        watch.wait_for_frames(30)
    assert [event.state for event in watch.events] == ["healthy"]


def test_a_black_picture_is_reported_and_its_end_but_nothing_is_reopened(
    server: MjpegServer,
) -> None:
    camera = camera_at(server)
    with Watch(camera, stall_s=0.1, remarks=[black_picture(0.3)]) as watch:
        seen = watch.wait_for(State.HEALTHY)
        server.mode = "black"
        seen = watch.wait_for(State.HEALTHY, seen)
        assert "lens cap" in watch.events[-1].detail
        server.mode = "ok"
        seen = watch.wait_for(State.HEALTHY, seen)
        assert watch.events[-1].detail.startswith("black picture is over after")
    assert len(watch.events) == 3
    assert server.connections == 1


def test_fifty_reconnections_leave_nothing_behind(server: MjpegServer) -> None:
    server.period_s = 0.001
    server.mode = "brief"
    with Watch(camera_at(server), stall_s=5.0) as watch:
        watch.wait_for_frames(20)
        threads, descriptors = threading.active_count(), open_descriptors()
        watch.wait_for_frames(20 + 50 * 5)
        assert server.connections >= 50
        assert watch.feed.counts.reconnects >= 50
        # The server's side of a connection may be closing just now.
        assert threading.active_count() <= threads + 1
        assert open_descriptors() <= descriptors + 4


def test_stop_interrupts_a_camera_that_hangs_within_its_timeout(server: MjpegServer) -> None:
    with Watch(camera_at(server), stall_s=5.0) as watch:
        watch.wait_for(State.HEALTHY)
        server.mode = "stall"
    assert watch.feed.counts.items > 0


def test_a_missing_device_says_where_to_look(tmp_path: Path) -> None:
    camera = OpenCvCamera(3, dev=tmp_path)
    assert camera.name == "camera 3"
    with pytest.raises(SourceError, match=r"camera 3 is not there.*edge-daemon devices"):
        camera.open()


def test_a_file_that_is_no_camera_is_refused(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.write_bytes(b"")
    with pytest.raises(SourceError, match="no capture device"):
        OpenCvCamera("0", dev=tmp_path).open()


def test_permission_denied_names_the_group(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(directory, 0o755)  # noqa: PTH101
    node = tmp_path / "video0"
    node.write_bytes(b"")
    node.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(SourceError, match="usermod -aG video"):
            OpenCvCamera(str(node)).open()
    finally:
        os.seteuid(user)


def test_gstreamer_without_support_says_so() -> None:
    import cv2

    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    with pytest.raises(SourceError, match=r"without GStreamer.*docs/jetson\.md"):
        OpenCvCamera("videotestsrc ! videoconvert ! appsink").open()


def test_a_word_that_is_no_device_is_not_taken_for_a_pipeline() -> None:
    with pytest.raises(SourceError, match=r"camera video0 is no index, path \(/dev/video0\)"):
        OpenCvCamera("video0").open()


def receiver(root: Path) -> Path:
    """Make the raw receiver of a Pi's ribbon cable; return where device nodes are."""
    node = root / "sys/class/video4linux/video0"
    node.mkdir(parents=True)
    (node / "name").write_text("unicam-image\n")
    (node / "index").write_text("0\n")
    (root / "dev").mkdir()
    (root / "dev/video0").write_bytes(b"")
    return root / "dev"


def test_a_camera_on_the_ribbon_cable_is_sent_to_picamera2(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no capture device.*video\.source: picamera2"):
        OpenCvCamera(0, dev=receiver(tmp_path)).open()


def test_so_is_one_that_opens_and_gives_no_frame(tmp_path: Path) -> None:
    class Silent:
        def grab(self) -> bool:
            return False

        def release(self) -> None:
            pass

    camera = OpenCvCamera(0, dev=receiver(tmp_path))
    camera._capture = Silent()  # type: ignore[assignment]
    with pytest.raises(SourceError, match=r"gave no frame.*video\.source: picamera2"):
        camera.read()


def test_an_address_nobody_answers_at_fails_without_telling_the_password() -> None:
    camera = OpenCvCamera("http://anna:s3cret@127.0.0.1:9/cam?token=abc", open_timeout_ms=400)
    with pytest.raises(SourceError) as caught:
        camera.open()
    assert str(caught.value).startswith("camera http://***@127.0.0.1:9/cam?*** cannot be opened")
    assert "s3cret" not in camera.name


def test_a_stable_path_is_looked_up_at_each_opening(tmp_path: Path) -> None:
    # A camera that comes back under another number: its link points elsewhere then.
    by_id = tmp_path / "usb-046d_C270-video-index0"
    camera = OpenCvCamera(str(by_id))
    with pytest.raises(SourceError, match="is not there"):
        camera.open()
    (tmp_path / "video4").write_bytes(b"")
    by_id.symlink_to("video4")
    with pytest.raises(SourceError, match="no capture device"):
        camera.open()
    (tmp_path / "video4").unlink()
    with pytest.raises(SourceError, match="is not there"):
        camera.open()


def test_frames_are_not_written_to_again(server: MjpegServer) -> None:
    camera = camera_at(server)
    camera.open()
    first = camera.read().image
    kept = first.copy()
    camera.read()
    camera.close()
    np.testing.assert_array_equal(first, kept)


def test_a_process_without_a_free_descriptor_says_so(server: MjpegServer) -> None:
    camera = OpenCvCamera(server.url)
    camera.open()  # imports OpenCV, which needs files
    camera.close()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(SourceError, match="cannot be opened: Too many open files"):
            camera.open()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    camera.open()
    camera.close()
