"""Pictures from files: a video, or a folder of images."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.source import SourceError

if TYPE_CHECKING:
    import cv2

NS_PER_S = 1_000_000_000
SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

TimedPicture = tuple[int, NDArray[np.uint8]]
"""Nanoseconds from the start, and uint8 [height, width, 3] BGR."""


class Pictures(Protocol):
    """Pictures with their times."""

    def length_ns(self) -> int:
        """Return how long they last; raises SourceError."""

    def play(self) -> Generator[TimedPicture, None, None]:
        """Yield them from the first; closing the generator releases the file."""


def pictures_at(path: Path, rate_hz: float) -> Pictures:
    """Return the pictures of a video file or, at `rate_hz`, of a folder of images."""
    return ImageFolder(path, rate_hz) if path.is_dir() else VideoFile(path)


class ImageFolder:
    """The images of a folder in the order of their names."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        if rate_hz <= 0:
            raise ValueError(f"a folder of images needs a positive rate, not {rate_hz} Hz")
        self._path = path
        self._rate_hz = rate_hz

    def length_ns(self) -> int:
        """Return the images' number times the period; raises SourceError when there is none."""
        return self._time_ns(len(self._images()))

    def play(self) -> Generator[TimedPicture, None, None]:
        """Yield the images; raises SourceError for one that cannot be read."""
        import cv2

        for number, path in enumerate(self._images()):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise SourceError(f"{path} is not an image that can be read")
            yield self._time_ns(number), np.asarray(image, dtype=np.uint8)

    def _images(self) -> list[Path]:
        try:
            images = sorted(p for p in self._path.iterdir() if p.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}") from error
        if not images:
            raise SourceError(f"{self._path} holds no images ({', '.join(sorted(SUFFIXES))})")
        return images

    def _time_ns(self, number: int) -> int:
        return round(number * NS_PER_S / self._rate_hz)


class VideoFile:
    """A video file that OpenCV can decode."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def length_ns(self) -> int:
        """Return the file's length by its header or, where that says nothing, by counting."""
        import cv2

        capture = self._open()
        try:
            rate_hz = _rate_hz(capture)
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            if count <= 0:
                count = 0
                while capture.grab():
                    count += 1
        finally:
            capture.release()
        if not count:
            raise SourceError(f"{self._path} holds no picture")
        return round(count * NS_PER_S / rate_hz)

    def play(self) -> Generator[TimedPicture, None, None]:
        """Yield the frames at the times that the file gives them."""
        import cv2

        capture = self._open()
        try:
            rate_hz = _rate_hz(capture)
            number = 0
            first_ms = 0.0
            while True:
                decoded, image = capture.read()
                if not decoded:
                    break
                stamp_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
                if number == 0:
                    first_ms = stamp_ms
                # Formats without time stamps say the same throughout.
                media_s = (stamp_ms - first_ms) / 1000 or number / rate_hz
                yield round(media_s * NS_PER_S), np.asarray(image, dtype=np.uint8)
                number += 1
        finally:
            capture.release()
        if not number:
            raise SourceError(f"{self._path} holds no picture that can be decoded")

    def _open(self) -> "cv2.VideoCapture":
        import cv2

        cv2.setNumThreads(1)
        if not self._path.is_file():
            raise SourceError(f"{self._path}: no such file")
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self._path} is not a video that can be read")
        return capture


def _rate_hz(capture: "cv2.VideoCapture") -> float:
    import cv2

    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    return rate_hz if 0 < rate_hz <= 1000 else 25.0
