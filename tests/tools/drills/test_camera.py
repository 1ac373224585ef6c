"""What the camera of the drills sends."""

import contextlib
import socket
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from tools.drills.camera import Camera, Mode, camera


@contextlib.contextmanager
def connected(source: Camera) -> Iterator[BinaryIO]:
    address = urlsplit(source.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 1.0) as link:
        link.sendall(f"GET {address.path} HTTP/1.0\r\n\r\n".encode())
        with link.makefile("rb") as stream:
            yield stream


def picture(stream: BinaryIO) -> bytes:
    """Return the next JPEG; raises ValueError at the end and TimeoutError when none comes."""
    length = 0
    while not length:
        line = stream.readline()
        if not line:
            raise ValueError("the connection is closed")
        if line.startswith(b"Content-Length:"):
            length = int(line.split(b":")[1])
    stream.readline()
    return stream.read(length)


def brightness(jpeg: bytes) -> float:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return float(image.mean())


def test_pictures_are_bright_and_none_equals_the_one_before() -> None:
    with camera() as source, connected(source) as stream:
        shown = [picture(stream) for _ in range(5)]
    assert len(set(shown)) == 5
    assert all(brightness(jpeg) > 100 for jpeg in shown)


@pytest.mark.parametrize(("mode", "different"), [("repeating", 1), ("black", 5)])
def test_it_repeats_itself_and_goes_black(mode: Mode, different: int) -> None:
    with camera() as source, connected(source) as stream:
        picture(stream)
        source.mode = mode
        picture(stream)  # may have been under way
        shown = [picture(stream) for _ in range(5)]
    assert len(set(shown)) == different
    assert (brightness(shown[0]) < 20) == (mode == "black")


def test_frozen_it_sends_nothing_and_thawed_it_goes_on() -> None:
    with camera() as source:
        source.mode = "frozen"
        with connected(source) as stream, pytest.raises(TimeoutError):
            picture(stream)
        with connected(source) as stream:
            source.mode = "ok"
            assert brightness(picture(stream)) > 100


def test_gone_it_cuts_connections_and_refuses_new_ones() -> None:
    with camera() as source, connected(source) as stream:
        picture(stream)
        source.mode = "gone"
        with pytest.raises(ValueError, match="closed"):
            while True:
                picture(stream)
        with connected(source) as again, pytest.raises(ValueError, match="closed"):
            picture(again)
        source.mode = "ok"
        with connected(source) as back:
            assert brightness(picture(back)) > 100
