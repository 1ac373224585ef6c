"""Sound from a file, at the rate the model wants."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.resample import StreamResampler, mix_down
from edge_daemon.capture.source import SourceError

BLOCKS_PER_S = 50


class SoundFile:
    """A WAV or FLAC file, read block by block.

    Args:
        path: the file.
        rate_hz: samples per second wanted.
    """

    def __init__(self, path: Path, rate_hz: int) -> None:
        self._path = path
        self._rate_hz = rate_hz

    def length(self) -> int:
        """Return the number of samples at the wanted rate; raises SourceError."""
        with self._opened() as file:
            count: int = -(-file.frames * self._rate_hz // file.samplerate)
        if not count:
            raise SourceError(f"{self._path} holds no sound")
        return count

    def play(self) -> Generator[NDArray[np.float32], None, None]:
        """Yield the sound in blocks of about 20 ms: float32 [n], mono, `length()` in all."""
        with self._opened() as file:
            resampler = StreamResampler(file.samplerate, self._rate_hz)
            size = max(1, file.samplerate // BLOCKS_PER_S)
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                samples = resampler(mix_down(block))
                if len(samples):
                    yield samples
            rest = resampler.flush()
            if len(rest):
                yield rest

    @contextmanager
    def _opened(self) -> Generator[Any, None, None]:
        try:
            import soundfile
        except OSError:
            raise SourceError("libsndfile is not installed: apt install libsndfile1") from None
        try:
            with soundfile.SoundFile(self._path) as file:
                yield file
        except (soundfile.SoundFileError, OSError) as error:
            raise SourceError(
                f"{self._path} is not a sound file that can be read: {error}"
            ) from error
