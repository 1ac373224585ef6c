import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

from edge_daemon.capture.build import build_sources
from edge_daemon.capture.picamera import Picamera2Camera, list_picameras
from edge_daemon.capture.picture import Region
from edge_daemon.capture.source import SourceError
from edge_daemon.clock import VirtualClock
from edge_daemon.config import parse_config

S = 1_000_000_000
MS = 1_000_000


class Picamera2:
    """What of picamera2.Picamera2 (0.3.19 to 0.3.31) is used, as its source has it.

    A request that is not answered in time stays first in the queue of jobs. `stop` puts itself
    behind it and waits; `close` ends the thread that works the queue, then stops. An object whose
    making fails leaves a pipe's write end open.
    """

    cameras: ClassVar[list[dict[str, Any]]] = [{"Model": "imx708", "Num": 0, "Id": "/base/soc"}]
    held = 0
    sensor_ns: int | None = 50 * S
    fault: Exception | None = None
    patience_s = 1.5
    requests_out = 0
    delivers = "YUV420"

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return cls.cameras

    def __init__(self, camera_num: int = 0) -> None:
        self.notifyme_r, self.notifyme_w = os.pipe2(os.O_NONBLOCK)
        self.notifymeread = os.fdopen(self.notifyme_r, "rb")
        self.is_open = False
        if camera_num >= len(type(self).cameras):
            raise IndexError("list index out of range")
        if type(self).held:
            self.notifymeread.close()  # what its garbage collection would do
            try:
                raise RuntimeError("Failed to acquire camera: Device or resource busy")
            except RuntimeError:
                raise RuntimeError("Camera __init__ sequence did not complete.")  # noqa: B904
        type(self).held += 1
        self.is_open = True
        self.started = False
        self.config: dict[str, Any] = {}
        self.jobs: list[str] = []

    def create_preview_configuration(
        self,
        main: dict[str, Any],
        controls: dict[str, Any],
        buffer_count: int = 4,
        queue: bool = True,
    ) -> dict[str, Any]:
        width, height = main["size"]
        even = {**main, "size": (width - width % 2, height - height % 2)}
        return {
            "main": even,
            "controls": controls,
            "buffer_count": buffer_count,
            "queue": queue,
        }

    def configure(self, config: dict[str, Any]) -> None:
        width = config["main"]["size"][0]
        stride = -(-width // 64) * 64
        main = {**config["main"], "stride": stride, "format": type(self).delivers}
        self.config = {**config, "main": main}

    def camera_configuration(self) -> dict[str, Any]:
        return self.config

    def start(self) -> None:
        self.started = True

    def capture_request(self, wait: float | None = None) -> "Request":
        assert self.started
        assert wait == type(self).patience_s, "a wait without limit would hang with the sensor"
        fault = type(self).fault
        if fault is not None:
            self.jobs.append("capture_request")
            raise fault
        type(self).requests_out += 1
        return Request(type(self), self.config["main"])

    def cancel_all_and_flush(self) -> None:
        self.jobs.clear()

    def stop(self) -> None:
        raise AssertionError("would wait for ever behind a request that was not answered")

    def close(self) -> None:
        if self.is_open:
            self.started = self.is_open = False
            type(self).held -= 1
            self.notifymeread.close()
            os.close(self.notifyme_w)


class Request:
    """A frame in three planes: luminance that rises to the right, then the colours."""

    def __init__(self, camera: type[Picamera2], main: dict[str, Any]) -> None:
        self._camera = camera
        self._main = main

    def make_array(self, name: str) -> np.ndarray:
        assert name == "main"
        width, height = self._main["size"]
        image = np.full((height * 3 // 2, self._main["stride"]), 128, dtype=np.uint8)
        image[:height, width:] = 77
        image[:height, :width] = np.arange(width)
        return image

    def get_metadata(self) -> dict[str, int]:
        sensor_ns = self._camera.sensor_ns
        return {} if sensor_ns is None else {"SensorTimestamp": sensor_ns}

    def release(self) -> None:
        self._camera.requests_out -= 1


@pytest.fixture
def module() -> ModuleType:
    fake = ModuleType("picamera2")
    fake.Picamera2 = type("Picamera2", (Picamera2,), {})  # type: ignore[attr-defined]
    return fake


def camera_with(module: ModuleType, **options: Any) -> Picamera2Camera:
    return Picamera2Camera(
        picamera2=module,
        width_px=64,
        height_px=48,
        read_timeout_s=1.5,
        clock=VirtualClock(20 * S),
        boottime=VirtualClock(50 * S + 30 * MS),
        **options,
    )


def test_frames_carry_the_sensor_s_time_on_our_clock(module: ModuleType) -> None:
    camera = camera_with(module, rate_hz=12.0)
    assert camera.open() == "64×48 YUV420 (imx708), asked for 64×48 at 12 Hz"
    frame = camera.read()
    assert frame.captured_ns == 20 * S - 30 * MS
    config = camera._camera.config
    assert config["controls"] == {"FrameRate": 12.0}
    assert config["queue"] is False, "a frame that waited would be older than need be"
    assert config["buffer_count"] >= 2
    assert module.Picamera2.requests_out == 0
    camera.close()
    camera.close()
    assert module.Picamera2.held == 0


@pytest.mark.parametrize(("stall_s", "patience_s"), [(0.5, 2.0), (3.0, 2.0), (12.0, 8.0)])
def test_a_slow_camera_is_given_time_by_the_configuration(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, stall_s: float, patience_s: float
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", module)
    module.Picamera2.patience_s = patience_s
    asked = f"video: {{source: picamera2}}\ncapture: {{stall_s: {stall_s}}}".encode()
    config = parse_config(asked, Path("/etc/config.yaml"), {})
    camera, _ = build_sources(config, sample_rate_hz=None, clock=VirtualClock(20 * S))
    assert camera is not None
    camera.open()
    camera.read()
    camera.close()


def test_the_picture_is_the_luminance_without_padding_and_colours(module: ModuleType) -> None:
    camera = Picamera2Camera(picamera2=module, width_px=51, height_px=37, read_timeout_s=1.5)
    assert camera.open().startswith("50×36 YUV420")
    image = camera.read().image
    camera.close()
    np.testing.assert_array_equal(image, np.tile(np.arange(50, dtype=np.uint8), (36, 1)))
    assert image.flags.c_contiguous


@pytest.mark.parametrize("sensor_ns", [None, 0, 51 * S])
def test_a_time_that_cannot_be_is_not_believed(module: ModuleType, sensor_ns: int | None) -> None:
    module.Picamera2.sensor_ns = sensor_ns
    camera = camera_with(module)
    camera.open()
    assert camera.read().captured_ns == 20 * S
    camera.close()


def test_rotates_and_crops(module: ModuleType) -> None:
    camera = camera_with(module, rotate_deg=180, region=Region(0.5, 0.5, 0.5, 0.5))
    camera.open()
    image = camera.read().image
    camera.close()
    assert image.shape == (24, 32)
    np.testing.assert_array_equal(image[0], np.arange(31, -1, -1))


@pytest.mark.parametrize("fault", [TimeoutError(), RuntimeError("camera frontend has timed out")])
def test_a_sensor_that_hangs_is_an_error_and_can_be_reopened(
    module: ModuleType, fault: Exception
) -> None:
    camera = camera_with(module)
    camera.open()
    module.Picamera2.fault = fault
    with pytest.raises(SourceError, match="picamera 0 gave no frame"):
        camera.read()
    module.Picamera2.fault = None
    camera.close()
    camera.open()
    camera.read()
    camera.close()
    assert module.Picamera2.held == 0


def test_a_camera_that_is_not_there_says_what_is(module: ModuleType) -> None:
    with pytest.raises(SourceError, match=r"picamera 3 is not there \(found: 0: imx708\)"):
        Picamera2Camera(3, picamera2=module).open()
    module.Picamera2.cameras = []
    with pytest.raises(SourceError, match=r"found: none.*camera_auto_detect"):
        Picamera2Camera(picamera2=module).open()


def test_a_busy_camera_is_tried_again_and_again_without_a_leak(module: ModuleType) -> None:
    holder = camera_with(module)
    holder.open()
    other = camera_with(module)
    with pytest.raises(SourceError, match=r"resource busy; check.*no other program"):
        other.open()
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(50):
        with pytest.raises(SourceError):
            other.open()
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208
    assert module.Picamera2.held == 1, "a failed open holds nothing"
    holder.close()
    other.open()
    other.close()


def test_a_camera_without_that_format_is_not_for_this_source(module: ModuleType) -> None:
    module.Picamera2.delivers = "MJPEG"
    with pytest.raises(SourceError, match=r"YUV420 but MJPEG.*video\.source: camera"):
        camera_with(module).open()
    assert module.Picamera2.held == 0


def test_an_older_picamera2_has_no_way_to_flush(module: ModuleType) -> None:
    old = {"cancel_all_and_flush": property(lambda self: object.__getattribute__(self, "none"))}
    module.Picamera2 = type("Old", (module.Picamera2,), old)  # type: ignore[attr-defined]
    camera = camera_with(module)
    camera.open()
    camera.read()
    camera.close()
    assert module.Picamera2.held == 0


def test_without_picamera2_the_remedy_is_named() -> None:
    try:
        import picamera2  # noqa: F401
    except ImportError:
        with pytest.raises(SourceError, match="apt install python3-picamera2"):
            Picamera2Camera().open()
    else:
        pytest.skip("picamera2 is installed here")


def test_a_picamera2_for_another_numpy_is_an_error_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")'
    (tmp_path / "picamera2.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(SourceError, match=r"dtype size changed.*docs/raspberry-pi\.md"):
        Picamera2Camera().open()
    with pytest.raises(SourceError, match=r"^picamera2 cannot be imported.*dtype size changed"):
        list_picameras()


def test_no_cameras_are_listed_where_picamera2_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    monkeypatch.setattr(sys, "path", [])
    assert list_picameras() == []


@pytest.mark.parametrize("missing", ["libcamera", "simplejpeg"])
def test_a_part_of_picamera2_that_is_missing_is_told(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"raise ModuleNotFoundError('No module named {missing}', name='{missing}')"
    (tmp_path / "picamera2.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(SourceError, match=f"No module named {missing}"):
        list_picameras()


def test_a_sick_camera_stack_is_told(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def sick() -> list[dict[str, Any]]:
        raise RuntimeError("no camera manager")

    module.Picamera2.global_camera_info = sick
    monkeypatch.setitem(sys.modules, "picamera2", module)
    with pytest.raises(SourceError, match=r"cannot list the cameras \(no camera manager\)"):
        list_picameras()


def test_the_cameras_are_listed(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", module)
    assert list_picameras() == ["imx708"]


def test_reading_before_opening_is_an_error(module: ModuleType) -> None:
    with pytest.raises(SourceError, match="not open"):
        camera_with(module).read()
