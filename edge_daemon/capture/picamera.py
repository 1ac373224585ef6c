"""A Raspberry Pi camera (CSI) through picamera2."""

import contextlib
import importlib
import os
from types import ModuleType
from typing import Any

import numpy as np

from edge_daemon.capture.picture import Pose, Region
from edge_daemon.capture.source import Frame, SourceError
from edge_daemon.clock import Clock, boottime_ns, monotonic_ns

READ_TIMEOUT_S = 2.0
BUFFERS = 4
"""Frames under way in the sensor's pipeline; with fewer it drops some, and more make none older."""
MAX_AGE_NS = 1_000_000_000
"""A sensor timestamp older than this is not believed."""


class Picamera2Camera:
    """A camera on the ribbon cable, in grey: the luminance that its own scaler delivers.

    picamera2 comes with Raspberry Pi OS and is not for pip (docs/raspberry-pi.md). It is imported
    when the camera is first opened. Written for 0.3.19 (July 2024) and newer; with an older one a
    sensor that hangs is found out by the feed only.

    Args:
        number: which camera, in the order of `rpicam-hello --list-cameras`.
        width_px: width of the picture before rotation and cropping; made even.
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
        self._asked = (width_px, height_px)
        self._size = self._asked
        self._rate_hz = rate_hz
        self._pose = Pose(rotate_deg, region)
        self._clock = clock
        self._boottime = boottime
        self._read_timeout_s = read_timeout_s
        self._module = picamera2
        self._camera: Any = None

    def open(self) -> str:
        """Start the camera and return what it delivers; raises SourceError with a remedy."""
        self.close()
        module = self._picamera2()
        model = self._model(module)
        try:
            self._camera = _acquire(module, self._number)
            # The preview's colour space has luminance from 0 to 255, that of video from 16. With
            # `queue` off a request is answered by the next frame, never by one that lay waiting.
            config = self._camera.create_preview_configuration(
                main={"size": self._asked, "format": "YUV420"},
                controls={"FrameRate": self._rate_hz},
                buffer_count=BUFFERS,
                queue=False,
            )
            self._camera.configure(config)
            given = self._camera.camera_configuration()["main"]
            self._camera.start()
        except (RuntimeError, IndexError, OSError, ValueError) as error:
            self.close()
            why = error.__context__ or error  # picamera2 hides the reason behind a general one
            raise SourceError(
                f"{self.name} cannot be opened: {why}; check the ribbon cable, that no other "
                "program holds it, and `rpicam-hello --list-cameras`"
            ) from error
        if given["format"] != "YUV420":
            self.close()
            raise SourceError(
                f"{self.name} gives no YUV420 but {given['format']}: for a USB camera use "
                "video.source: camera"
            )
        self._size = given["size"]
        return (
            f"{self._size[0]}×{self._size[1]} {given['format']} ({model}), asked for "
            f"{self._asked[0]}×{self._asked[1]} at {self._rate_hz:g} Hz"
        )

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
            planes = np.asarray(request.make_array("main"), dtype=np.uint8)
            captured_ns = self._captured_ns(request.get_metadata().get("SensorTimestamp"))
        finally:
            request.release()
        # Rows may be longer than the picture is wide, and the colours follow below it.
        width, height = self._size
        return Frame(self._pose.apply(planes[:height, :width]), captured_ns)

    def close(self) -> None:
        """Stop and release the camera."""
        camera, self._camera = self._camera, None
        if camera is None:
            return
        # After a timeout the unanswered request is still first in the camera's queue, and stop()
        # would wait behind it for ever; close() ends the queue's thread before it stops.
        with contextlib.suppress(AttributeError):
            camera.cancel_all_and_flush()
        camera.close()

    def _captured_ns(self, sensor_ns: int | None) -> int:
        now_ns = self._clock()
        age_ns = self._boottime() - sensor_ns if sensor_ns is not None else 0
        return now_ns - age_ns if 0 <= age_ns <= MAX_AGE_NS else now_ns

    def _model(self, module: ModuleType) -> str:
        """Return the sensor's name, asking before the camera is made: a failure would cost."""
        cameras = module.Picamera2.global_camera_info()
        if self._number >= len(cameras):
            found = ", ".join(f"{n}: {info.get('Model')}" for n, info in enumerate(cameras))
            raise SourceError(
                f"{self.name} is not there (found: {found or 'none'}); check the ribbon cable with "
                "the power off, camera_auto_detect=1 in /boot/firmware/config.txt, and "
                "`rpicam-hello --list-cameras`"
            )
        return str(cameras[self._number].get("Model", "unknown sensor"))

    def _picamera2(self) -> ModuleType:
        if self._module is None:
            try:
                self._module = importlib.import_module("picamera2")
            except Exception as error:  # ValueError where NumPy is newer than what it was built for
                raise SourceError(f"{self.name}: {_not_imported(error)}") from None
        return self._module


def list_picameras() -> list[str]:
    """Return the models of the cameras that picamera2 knows; none where it is not installed.

    Raises:
        SourceError: it is installed and cannot be used; the text says why.
    """
    try:
        module = importlib.import_module("picamera2")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "picamera2":
            return []
        raise SourceError(_not_imported(error)) from None
    try:
        return [str(info.get("Model")) for info in module.Picamera2.global_camera_info()]
    except Exception as error:  # whatever a sick camera stack may raise
        raise SourceError(
            f"picamera2 cannot list the cameras ({error}); see `rpicam-hello --list-cameras`"
        ) from None


def _not_imported(error: Exception) -> str:
    return (
        f"picamera2 cannot be imported ({error}); apt install python3-picamera2 and let the "
        "virtual environment see it (docs/raspberry-pi.md)"
    )


def _acquire(module: ModuleType, number: int) -> Any:
    """Make the camera's object, without the descriptor that one leaks whose making fails.

    A camera that another program holds is tried for hours: a thousand attempts would use up what
    descriptors a process may have.
    """
    camera = module.Picamera2.__new__(module.Picamera2)
    try:
        camera.__init__(number)
    except Exception:
        with contextlib.suppress(AttributeError, OSError):
            os.close(camera.notifyme_w)
        raise
    return camera
