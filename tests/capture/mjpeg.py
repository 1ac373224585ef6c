"""A network camera with faults: MJPEG over HTTP, as cheap IP cameras send it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, cast

import cv2
import numpy as np

Mode = Literal["ok", "stall", "drop", "brief", "repeat", "black"]
Show = Callable[[int], np.ndarray]


BRIEF = 5
"""Pictures before a brief connection is cut."""


class MjpegServer(ThreadingHTTPServer):
    """Serves a picture that counts, until `mode` says otherwise.

    ok: a new picture each time; stall: connected, nothing comes; drop: the connection is cut and
    every new one too; brief: the same, but after some pictures; repeat: the same picture again
    and again; black: black pictures.

    Args:
        rate_hz: pictures per second.
        show: makes the picture of a number; None for `picture`.
    """

    daemon_threads = True

    def __init__(self, rate_hz: float = 60.0, show: Show | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.period_s = 1 / rate_hz
        self.show = show or picture
        self.connections = 0
        self.number = 0
        self.closing = threading.Event()
        self._mode: Mode = "ok"
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/cam.mjpg"

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            self._mode = mode
            self._changed.notify_all()

    def next_mode(self) -> Mode:
        """Wait while the camera hangs; return how it behaves then."""
        with self._changed:
            self._changed.wait_for(lambda: self._mode != "stall" or self.closing.is_set())
            return self._mode


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        server = cast("MjpegServer", self.server)
        server.connections += 1
        if server.mode == "drop":
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        sent = 0
        try:
            while not server.closing.wait(server.period_s):
                mode = server.next_mode()
                if mode == "drop" or (mode == "brief" and sent == BRIEF):
                    return
                server.number += mode in ("ok", "brief")
                self._send(picture(0) if mode == "black" else server.show(server.number))
                sent += 1
        except OSError:
            pass  # the client went away

    def _send(self, image: np.ndarray) -> None:
        jpeg = cv2.imencode(".jpg", image)[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        self.wfile.write(head.encode() + jpeg + b"\r\n")


def picture(number: int) -> np.ndarray:
    """160 wide, 120 high; black for 0, else grey with a white patch in the upper left corner."""
    image = np.zeros((120, 160, 3), dtype=np.uint8)
    if number:
        image[:] = 40 + 2 * (number % 50)
        image[:30, :40] = 255
    return image


@contextmanager
def mjpeg_server(rate_hz: float = 60.0, show: Show | None = None) -> Iterator[MjpegServer]:
    server = MjpegServer(rate_hz, show)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.mode = "ok"
        server.shutdown()
        thread.join()
        server.server_close()
