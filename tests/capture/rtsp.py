"""A network camera with faults: RTSP with a password, MPEG-TS in RTP over its own connection."""

import base64
import shutil
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal, cast

Mode = Literal["ok", "stall", "drop"]

PACKET = 7 * 188
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\n"


class RtspServer(socketserver.ThreadingTCPServer):
    """Streams a test picture to whoever knows the password (RFC 2326, 2250 and 7617).

    ok: streams; stall: connected, nothing comes; drop: connections are cut, new ones too.

    Args:
        user: who may see it.
        password: what it takes.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, user: str, password: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.mode: Mode = "ok"
        self.playing = 0
        self.refused = 0
        self.closing = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with suppress(OSError, ValueError):
            while self._answer(cast("RtspServer", self.server)):
                pass

    def _answer(self, server: RtspServer) -> bool:
        """Answer one request; return whether another may follow."""
        method, url, _ = self.rfile.readline().decode().split()
        fields = {}
        while line := self.rfile.readline().decode().strip():
            key, value = line.split(":", 1)
            fields[key.lower()] = value.strip()
        if server.mode == "drop":
            return False
        head = f"CSeq: {fields['cseq']}\r\nSession: 7\r\n"
        if method != "OPTIONS" and fields.get("authorization") != server.authorization:
            server.refused += 1
            self._send(401, f'{head}WWW-Authenticate: Basic realm="camera"\r\n')
        elif method == "DESCRIBE":
            head += f"Content-Base: {url}/\r\nContent-Type: application/sdp\r\n"
            self._send(200, f"{head}Content-Length: {len(SDP)}\r\n", SDP)
        elif method == "SETUP":
            self._send(200, f"{head}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n")
        elif method == "PLAY":
            self._send(200, head)
            self._stream(server)
            return False
        else:
            self._send(200, f"{head}Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n")
        return True

    def _send(self, status: int, head: str, body: str = "") -> None:
        self.wfile.write(f"RTSP/1.0 {status} So\r\n{head}\r\n{body}".encode())

    def _stream(self, server: RtspServer) -> None:
        server.playing += 1
        with film() as film_process:
            assert film_process.stdout is not None
            number = 0
            while not server.closing.is_set() and server.mode != "drop":
                packet = film_process.stdout.read(PACKET)
                number += 1
                rtp = struct.pack("!BBHII", 0x80, 33, number % 65536, number * 900, 7) + packet
                if server.mode == "ok":
                    self.wfile.write(struct.pack("!cBH", b"$", 0, len(rtp)) + rtp)


@contextmanager
def film() -> Iterator[subprocess.Popen[bytes]]:
    """A program that writes moving pictures as MPEG-TS, in real time."""
    arguments = "-v quiet -re -f lavfi -i testsrc2=size=320x240:rate=30 -c:v mpeg2video -b:v 1M"
    process = subprocess.Popen(
        ["ffmpeg", *arguments.split(), "-f", "mpegts", "pipe:1"], stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def rtsp_server(user: str, password: str) -> Iterator[RtspServer]:
    """A server that runs; raises OSError where there is no ffmpeg to make pictures."""
    if shutil.which("ffmpeg") is None:
        raise OSError("no ffmpeg")
    server = RtspServer(user, password)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
