"""8 kHz mono wav files to float32."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.dataset.folders import DatasetError

RATE_HZ = 8000


def read_wav(path: Path, remedy: str) -> NDArray[np.float32]:
    """Read a mono 16-bit wav file at 8 kHz: float32 [n], −1 to 1.

    Raises:
        DatasetError: it cannot be read or has another format.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate_hz, frames = file.getparams()[:4]
            data = file.readframes(frames)
    except (OSError, EOFError, wave.Error) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); put it there: {remedy}") from error
    if (channels, width, rate_hz) != (1, 2, RATE_HZ):
        raise DatasetError(
            f"{path}: {channels} channel(s), {8 * width} bit, {rate_hz} Hz; 1 channel, 16 bit, "
            f"{RATE_HZ} Hz is needed: convert it with `sox IN -r {RATE_HZ} -c 1 -b 16 OUT`"
        )
    if len(data) < 2:
        raise DatasetError(f"{path}: holds no sound; put it there: {remedy}")
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768.0)
