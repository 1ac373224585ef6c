"""A network camera with faults: MJPEG over HTTP, as cheap cameras send it."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, cast

import cv2
import numpy as np

from tools.drills.stage import CAMERA_HZ

Mode = Literal["ok", "gone", "frozen", "repeating", "black"]

_PICTURES = 40


class Camera(ThreadingHTTPServer):
    """Shows a drawn digit under a sensor's noise, until `mode` says otherwise.

    gone: connections are cut and refused; frozen: they stay, and nothing comes; repeating: the
    same picture again and again; black: a picture of darkness with a sensor's noise.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()
        self.digits = _noisy(_digit())
        self.darkness = _noisy(np.full((120, 160), 6, dtype=np.uint8))
        self._mode: Mode = "ok"
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/camera.mjpg"

    @property
    def mode(self) -> Mode:
        """What it does."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            self._mode = mode
            self._changed.notify_all()

    def thawed(self) -> Mode:
        """Wait while it is frozen, and return how it goes on."""
        with self._changed:
            self._changed.wait_for(lambda: self._mode != "frozen" or self.closing.is_set())
            return self._mode

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that vanish are what drills are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        camera = cast("Camera", self.server)
        if camera.mode == "gone":
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        number = 0
        with contextlib.suppress(OSError):  # the client went away
            while not camera.closing.wait(1 / CAMERA_HZ):
                mode = camera.thawed()
                if mode == "gone":
                    return
                number += mode != "repeating"
                pictures = camera.darkness if mode == "black" else camera.digits
                self._send(pictures[number % _PICTURES])

    def _send(self, jpeg: bytes) -> None:
        head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        self.wfile.write(head.encode() + jpeg + b"\r\n")


@contextlib.contextmanager
def camera() -> Iterator[Camera]:
    """Run a camera for the length of a drill."""
    server = Camera()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.mode = "ok"
        server.shutdown()
        thread.join()
        server.server_close()


def _digit() -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    image = np.full((120, 160), 200, dtype=np.uint8)
    cv2.putText(image, "4", (55, 90), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 40, 8, cv2.LINE_AA)
    return image


def _noisy(image: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]") -> list[bytes]:
    """Return JPEGs of a picture under noise, none equal to another."""
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(_PICTURES):
        noise = random.normal(0, 3, image.shape).round()
        noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
        pictures.append(bytes(cv2.imencode(".jpg", noisy)[1]))
    return pictures
