from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edge_daemon.capture.picamera import Picamera2Camera
from edge_daemon.capture.picture import Region
from edge_daemon.capture.source import SourceError
from edge_daemon.clock import VirtualClock

S = 1_000_000_000
MS = 1_000_000


class Picamera2:
    """What of picamera2.Picamera2 (0.3) is used; written from its documentation."""

    cameras = 1
    held = 0
    sensor_ns: int | None = 50 * S
    fault: Exception | None = None
    requests_out = 0

    def __init__(self, camera_num: int = 0) -> None:
        if camera_num >= type(self).cameras:
            raise IndexError("list index out of range")
        if type(self).held:
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        type(self).held += 1
        self.started = False
        self.config: dict[str, Any] = {}

    def create_video_configuration(self, **options: Any) -> dict[str, Any]:
        return options

    def configure(self, config: dict[str, Any]) -> None:
        self.config = config

    def start(self) -> None:
        self.started = True

    def capture_request(self, wait: float | None = None) -> "Request":
        assert self.started
        assert wait == 1.5, "a wait without limit would hang with the sensor"
        fault = type(self).fault
        if fault is not None:
            raise fault
        type(self).requests_out += 1
        return Request(type(self), self.config["main"]["size"])

    def stop(self) -> None:
        self.started = False

    def close(self) -> None:
        assert not self.started
        type(self).held -= 1


class Request:
    def __init__(self, camera: type[Picamera2], size: tuple[int, int]) -> None:
        self._camera = camera
        self._size = size

    def make_array(self, name: str) -> np.ndarray:
        assert name == "main"
        image = np.zeros((self._size[1], self._size[0], 3), dtype=np.uint8)
        image[0, 0] = 255
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
    camera.open()
    frame = camera.read()
    assert frame.captured_ns == 20 * S - 30 * MS
    assert frame.image.shape == (48, 64, 3)
    config = camera._camera.config
    assert config["main"] == {"size": (64, 48), "format": "RGB888"}
    assert config["controls"] == {"FrameRate": 12.0}
    assert module.Picamera2.requests_out == 0
    camera.close()
    camera.close()
    assert module.Picamera2.held == 0


@pytest.mark.parametrize("sensor_ns", [None, 0, 51 * S])
def test_a_time_that_cannot_be_is_not_believed(module: ModuleType, sensor_ns: int | None) -> None:
    module.Picamera2.sensor_ns = sensor_ns
    camera = camera_with(module)
    camera.open()
    assert camera.read().captured_ns == 20 * S


def test_rotates_and_crops(module: ModuleType) -> None:
    camera = camera_with(module, rotate_deg=180, region=Region(0.5, 0.5, 0.5, 0.5))
    camera.open()
    image = camera.read().image
    assert image.shape == (24, 32, 3)
    assert image[-1, -1, 0] == 255


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


def test_a_camera_that_is_not_there_or_busy_says_what_to_check(module: ModuleType) -> None:
    missing = Picamera2Camera(3, picamera2=module)
    with pytest.raises(SourceError, match="ribbon cable"):
        missing.open()
    camera_with(module).open()
    with pytest.raises(SourceError, match="Device or resource busy"):
        camera_with(module).open()
    assert module.Picamera2.held == 1, "a failed open holds nothing"


def test_without_picamera2_the_remedy_is_named() -> None:
    try:
        import picamera2  # noqa: F401
    except ImportError:
        with pytest.raises(SourceError, match="apt install python3-picamera2"):
            Picamera2Camera().open()
    else:
        pytest.skip("picamera2 is installed here")


def test_reading_before_opening_is_an_error(module: ModuleType) -> None:
    with pytest.raises(SourceError, match="not open"):
        camera_with(module).read()
