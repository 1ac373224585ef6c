"""What a room and a microphone do to a word."""

import numpy as np
from numpy.typing import NDArray

from tools.dataset.wav import RATE_HZ


def in_room(samples: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Say a word a little faster or slower, in a room, into some microphone.

    Speed ±12 % (and pitch with it); a synthetic impulse response, a direct path and exponentially
    decaying noise of 0.1 to 0.5 s to −60 dB (Moorer, 1979), for two words of three; a smooth
    frequency response within ±6 dB.

    Args:
        samples: float32 [n] at 8 kHz.
        random: the source of all choices.

    Returns:
        float32 [m], up to 0.15 s of reverberation longer.
    """
    speed = random.uniform(0.88, 1.12)
    at = np.arange(0.0, len(samples) - 1, speed)
    said = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    response = impulse_response(random) if random.random() < 2 / 3 else np.ones(1, np.float32)
    length = len(said) + min(len(response), round(0.15 * RATE_HZ))
    size = 1 << (len(said) + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(said, size) * np.fft.rfft(response, size)
    spectrum *= _colour(size // 2 + 1, random)
    return np.fft.irfft(spectrum, size)[:length].astype(np.float32)


def impulse_response(random: np.random.Generator) -> NDArray[np.float32]:
    """Draw a room's impulse response, float32 [n] at 8 kHz; the direct path comes first, as 1."""
    decay_s = random.uniform(0.1, 0.5)
    count = round(decay_s * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    tail = random.standard_normal(count) * 10.0 ** (-3.0 * time_s / decay_s)
    tail[: round(random.uniform(0.002, 0.012) * RATE_HZ)] = 0.0
    direct_to_reverberant_db = random.uniform(-2.0, 12.0)
    power = float(np.sum(tail**2))
    tail *= 10.0 ** (-direct_to_reverberant_db / 20.0) / np.sqrt(max(power, 1e-12))
    tail[0] = 1.0
    return tail.astype(np.float32)


def _colour(bins: int, random: np.random.Generator) -> NDArray[np.float64]:
    knots_hz = np.array([0.0, 150.0, 500.0, 1500.0, 4000.0])
    gains_db = random.uniform(-6.0, 6.0, len(knots_hz))
    response_db = np.interp(np.linspace(0.0, RATE_HZ / 2, bins), knots_hz, gains_db)
    return np.asarray(10.0 ** (response_db / 20.0))
