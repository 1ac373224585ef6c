"""A camera through OpenCV: V4L2 devices, network streams and GStreamer pipelines."""

import errno
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_daemon.capture.picture import Pose, Region
from edge_daemon.capture.source import Frame, SourceError
from edge_daemon.capture.videonode import node_remark
from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.redaction import redact

if TYPE_CHECKING:
    import cv2

NS_PER_S = 1_000_000_000
OPEN_TIMEOUT_MS = 2000
READ_TIMEOUT_MS = 2000


class Negotiated(NamedTuple):
    """What the device really delivers.

    Attributes:
        width_px: before rotation and cropping.
        height_px: before rotation and cropping.
        rate_hz: as the driver or the stream says it; 0 when it does not.
        fourcc: format of its pictures; empty when it is not known.
        backend: OpenCV's name for the way it was opened.
    """

    width_px: int
    height_px: int
    rate_hz: float
    fourcc: str
    backend: str

    def __str__(self) -> str:
        """Return it as a sentence has it: `640×480 MJPG at 30 Hz (V4L2)`."""
        rate = f" at {self.rate_hz:g} Hz" if self.rate_hz else ""
        fourcc = f" {self.fourcc}" if self.fourcc else ""
        return f"{self.width_px}×{self.height_px}{fourcc}{rate} ({self.backend})"


class OpenCvCamera:
    """A camera that OpenCV can open.

    Args:
        device: a V4L2 index (`0`) or path (`/dev/video0`, or better `/dev/v4l/by-id/…`, which is
            looked up anew at each opening), a URL (`rtsp://…`, `http://…/cam.mjpg`) or a
            GStreamer pipeline that ends in `appsink`.
        width_px: asked of a V4L2 device, which gives the nearest it has; a stream has its own.
        height_px: likewise.
        rate_hz: asked of a V4L2 device; frames that come faster are skipped undecoded.
        rotate_deg: 0, 90, 180 or 270, clockwise.
        region: the part of the rotated picture to keep; None for all of it.
        may_repeat: whether equal pictures in a row are legitimate, as from a screen or a camera
            in complete darkness; with False they count as a stall.
        fourcc: pixel format asked of a V4L2 device, such as `MJPG`; empty for its own choice.
        dev: where device nodes are.
        clock: monotonic nanoseconds.
        open_timeout_ms: for streams.
        read_timeout_ms: for streams; V4L2 waits whole seconds, the nearest above.
    """

    def __init__(
        self,
        device: str | int,
        *,
        width_px: int = 640,
        height_px: int = 480,
        rate_hz: float = 15.0,
        rotate_deg: int = 0,
        region: Region | None = None,
        may_repeat: bool = False,
        fourcc: str = "",
        dev: Path = Path("/dev"),
        clock: Clock = monotonic_ns,
        open_timeout_ms: int = OPEN_TIMEOUT_MS,
        read_timeout_ms: int = READ_TIMEOUT_MS,
    ) -> None:
        self.name = f"camera {redact(str(device))}"
        self.may_repeat = may_repeat
        self.negotiated: Negotiated | None = None
        self._device = str(device)
        self._width_px = width_px
        self._height_px = height_px
        self._rate_hz = rate_hz
        self._pose = Pose(rotate_deg, region)
        self._fourcc = fourcc
        self._dev = dev
        self._clock = clock
        self._open_timeout_ms = open_timeout_ms
        self._read_timeout_ms = read_timeout_ms
        self._capture: cv2.VideoCapture | None = None
        self._due_ns = 0

    def open(self) -> str:
        """Open the device and return what it delivers; raises SourceError with a remedy."""
        self.close()
        node = self._node()
        if node is not None:
            _check_node(self.name, node)
        _quieten(self._read_timeout_ms)
        import cv2

        cv2.setNumThreads(1)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        if node is not None:
            capture = cv2.VideoCapture(str(node), cv2.CAP_V4L2)
        elif "://" in self._device:
            limits: Sequence[int] = (
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                self._open_timeout_ms,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                self._read_timeout_ms,
            )
            capture = cv2.VideoCapture(self._device, cv2.CAP_FFMPEG, limits)
        else:
            if "!" not in self._device:
                raise SourceError(
                    f"{self.name} is no index, path (/dev/video0) or address (rtsp://…): list the "
                    "cameras with `edge-daemon devices`"
                )
            if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
                raise SourceError(
                    f"{self.name}: this OpenCV is built without GStreamer, as those of pip are; "
                    "docs/jetson.md says how a pipeline's pictures come to the daemon without it"
                )
            capture = cv2.VideoCapture(self._device, cv2.CAP_GSTREAMER)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self.name} {self._why_closed(node)}")
        self._capture = capture
        if node is not None:
            self._ask(capture)
        self.negotiated = Negotiated(
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            round(capture.get(cv2.CAP_PROP_FPS), 2),
            _fourcc(int(capture.get(cv2.CAP_PROP_FOURCC))),
            capture.getBackendName(),
        )
        self._due_ns = 0
        if node is None:  # a stream is as it is
            return str(self.negotiated)
        asked = f"{self._width_px}×{self._height_px} {self._fourcc}".strip()
        return f"{self.negotiated}, asked for {asked} at {self._rate_hz:g} Hz"

    def read(self) -> Frame:
        """Return the next frame that is due; raises SourceError when none comes in time."""
        capture = self._capture
        if capture is None:
            raise SourceError(f"{self.name} is not open")
        period_ns = round(NS_PER_S / self._rate_hz)
        while True:
            started_ns = self._clock()
            grabbed = capture.grab()
            captured_ns = self._clock()
            waited_s = (captured_ns - started_ns) / NS_PER_S
            # After a timeout FFmpeg's decoder still gives, with success, what it had held back.
            if not grabbed or waited_s * 1000 >= self._read_timeout_ms:
                raise SourceError(f"{self.name} gave no frame ({waited_s:.1f} s){self._hint()}")
            # Half a period of grace, so that jitter makes no frame of a camera at rate_hz late.
            if captured_ns >= self._due_ns - period_ns // 2:
                break
        late = captured_ns - self._due_ns > period_ns
        self._due_ns = (captured_ns if late else self._due_ns) + period_ns
        decoded, image = capture.retrieve()
        if not decoded or image is None or not image.size:
            raise SourceError(f"{self.name} gave a frame that cannot be decoded")
        return Frame(self._pose.apply(np.asarray(image, dtype=np.uint8)), captured_ns)

    def close(self) -> None:
        """Release the device."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _node(self) -> Path | None:
        if self._device.isdecimal():
            return self._dev / f"video{self._device}"
        return Path(self._device) if self._device.startswith("/") else None

    def _hint(self) -> str:
        """Return what the kernel's list says against the node, such as that it is no camera."""
        node = self._node()
        remark = "" if node is None else node_remark(node, self._dev.parent)
        return f"; {remark}" if remark else ""

    def _ask(self, capture: "cv2.VideoCapture") -> None:
        import cv2

        if self._fourcc:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*self._fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._height_px)
        capture.set(cv2.CAP_PROP_FPS, self._rate_hz)
        # One buffer where the driver allows it, so that a frame waits in no queue.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def _why_closed(self, node: Path | None) -> str:
        if node is not None:
            return (
                "cannot be opened: it is no capture device (try the other /dev/video* of the "
                f"same camera) or another program holds it (fuser -v {node}){self._hint()}"
            )
        if "://" in self._device:
            refused = _no_socket()
            if refused is not None and refused.errno == errno.EAFNOSUPPORT:  # by the unit
                return (
                    "cannot be opened: this process may not use the network; the service may once "
                    "/opt/edge-daemon/share/edge-daemon/network-camera.conf is in force: see there"
                )
            if refused is not None:
                return f"cannot be opened: {refused.strerror}"
            return "cannot be opened: check the address and that the camera answers there"
        return "cannot be opened: check the pipeline with gst-launch-1.0; it must end in appsink"


def _no_socket() -> OSError | None:
    """Return why no socket to the network can be made; None where one can."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    except OSError as error:
        return error
    return None


def _fourcc(code: int) -> str:
    text = code.to_bytes(4, "little", signed=code < 0).decode("latin-1")
    return text.strip() if text.isascii() and text.isprintable() else ""


def _check_node(name: str, node: Path) -> None:
    try:
        os.close(os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        raise SourceError(
            f"{name} is not there: plug it in, or list the cameras with `edge-daemon devices`"
        ) from None
    except PermissionError:
        raise SourceError(
            f"{name}: permission denied; add the user to the group `video` "
            "(sudo usermod -aG video USER) and log in again"
        ) from None
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from None


def _quieten(read_timeout_ms: int) -> None:
    # OpenCV reads these once, on first use. Its own messages would repeat at every attempt to
    # reconnect, and FFmpeg's may contain the URL with its password.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(-(-read_timeout_ms // 1000)))
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
