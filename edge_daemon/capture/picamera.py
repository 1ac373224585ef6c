"""A Raspberry Pi camera (CSI) through picamera2."""

import importlib
from types import ModuleType
from typing import Any

import numpy as np

from edge_daemon.capture.picture import Pose, Region
from edge_daemon.capture.source import Frame, SourceError
from edge_daemon.clock import Clock, boottime_ns, monotonic_ns

READ_TIMEOUT_S = 2.0
MAX_AGE_NS = 1_000_000_000
"""A sensor timestamp older than this is not believed."""


class Picamera2Camera:
    """A camera on the ribbon cable.

    picamera2 comes with Raspberry Pi OS (`apt install python3-picamera2`; the virtual environment
    then needs `--system-site-packages`). It is imported when the camera is first opened.

    Args:
        number: which camera, counted from 0.
        width_px: width of the picture, which the camera's own scaler delivers.
        height_px: its height.
        rate_hz: frame rate asked of the sensor.
        rotate_deg: 0, 90, 180 or 270, clockwise.
        region: the part of the rotated picture to keep; None for all of it.
        may_repeat: whether equal pictures in a row are legitimate.
        clock: monotonic nanoseconds.
        boottime: CLOCK_BOOTTIME nanoseconds, which libcamera stamps frames with.
        read_timeout_s: a frame takes no longer unless the sensor or its driver hangs.
        picamera2: the module; None to import it.
    """

    def __init__(
        self,
        number: int = 0,
        *,
        width_px: int = 640,
        height_px: int = 480,
        rate_hz: float = 15.0,
        rotate_deg: int = 0,
        region: Region | None = None,
        may_repeat: bool = False,
        clock: Clock = monotonic_ns,
        boottime: Clock = boottime_ns,
        read_timeout_s: float = READ_TIMEOUT_S,
        picamera2: ModuleType | None = None,
    ) -> None:
        self.name = f"picamera {number}"
        self.may_repeat = may_repeat
        self._number = number
        self._size = (width_px, height_px)
        self._rate_hz = rate_hz
        self._pose = Pose(rotate_deg, region)
        self._clock = clock
        self._boottime = boottime
        self._read_timeout_s = read_timeout_s
        self._module = picamera2
        self._camera: Any = None

    def open(self) -> None:
        """Configure and start the camera; raises SourceError with a remedy."""
        self.close()
        module = self._picamera2()
        try:
            self._camera = module.Picamera2(self._number)
            # libcamera's RGB888 lies in memory as blue, green, red: OpenCV's order.
            # Two buffers: the frame in hand and the one being exposed; more would be older.
            config = self._camera.create_video_configuration(
                main={"size": self._size, "format": "RGB888"},
                controls={"FrameRate": self._rate_hz},
                buffer_count=2,
            )
            self._camera.configure(config)
            self._camera.start()
        except (RuntimeError, IndexError, OSError, ValueError) as error:
            self.close()
            raise SourceError(
                f"{self.name} cannot be opened: {error}; check the ribbon cable, that no other "
                "program holds it, and `rpicam-hello --list-cameras`"
            ) from error

    def read(self) -> Frame:
        """Return the next frame; raises SourceError when none comes in time."""
        if self._camera is None:
            raise SourceError(f"{self.name} is not open")
        try:
            request = self._camera.capture_request(wait=self._read_timeout_s)
        except TimeoutError:
            raise SourceError(f"{self.name} gave no frame ({self._read_timeout_s:.1f} s)") from None
        except (RuntimeError, OSError) as error:
            raise SourceError(f"{self.name} gave no frame: {error}") from error
        try:
            image = np.asarray(request.make_array("main"), dtype=np.uint8)
            captured_ns = self._captured_ns(request.get_metadata().get("SensorTimestamp"))
        finally:
            request.release()
        return Frame(self._pose.apply(image), captured_ns)

    def close(self) -> None:
        """Stop and release the camera."""
        camera, self._camera = self._camera, None
        if camera is not None:
            try:
                camera.stop()
            finally:
                camera.close()

    def _captured_ns(self, sensor_ns: int | None) -> int:
        now_ns = self._clock()
        age_ns = self._boottime() - sensor_ns if sensor_ns is not None else 0
        return now_ns - age_ns if 0 <= age_ns <= MAX_AGE_NS else now_ns

    def _picamera2(self) -> ModuleType:
        if self._module is None:
            try:
                self._module = importlib.import_module("picamera2")
            except ImportError as error:
                raise SourceError(
                    f"{self.name}: picamera2 cannot be imported ({error}); apt install "
                    "python3-picamera2 and give the virtual environment --system-site-packages"
                ) from None
        return self._module
