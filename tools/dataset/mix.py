"""A word at a random position in a second of noise: what the microphone gave up to a cut."""

import numpy as np
from numpy.typing import NDArray

from tools.dataset.protocol import Protocol
from tools.dataset.room import in_room
from tools.dataset.wav import RATE_HZ
from tools.tiers import AUDIO_FULL

_SPAN = RATE_HZ
"""Samples before the cut: the span in which the daemon looks for an onset."""

ALIGNED = AUDIO_FULL.lead * AUDIO_FULL.hop
"""Samples before the word where the protocol aligns it: the first column is then the tensor's."""

_WHOLE_S = 0.62
"""Seconds from the beginning of a word after which the full audio input is filled."""


def mix_word(
    word: NDArray[np.float32],
    noises: list[NDArray[np.float32]],
    protocol: Protocol,
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Place a word in noise.

    Args:
        word: float32 [n] at 8 kHz.
        noises: float32 [m] each, from which one is drawn; unused where the protocol has none.
        protocol: signal-to-noise ratio over the word, room, share of words cut off.
        random: the source of all choices.

    Returns:
        float32 [8000], −1 to 1: the second before the cut.
    """
    if protocol.room:
        word = in_room(word, random)
    length_s = len(word) / RATE_HZ
    if protocol.aligned:
        heard_s = (_SPAN - ALIGNED) / RATE_HZ
    elif random.random() < protocol.partly:
        heard_s = random.uniform(0.12, _WHOLE_S)
    else:
        heard_s = random.uniform(min(max(length_s, _WHOLE_S), 0.94), 0.95)
    start = _SPAN - round(heard_s * RATE_HZ)
    stream = np.zeros(_SPAN, dtype=np.float32)
    heard = word[: _SPAN - start]
    stream[start : start + len(heard)] = heard
    if protocol.snr_db is not None:
        noise = _segment(noises, start, len(heard), random)
        over = noise[start : start + len(heard)]
        snr_db = random.uniform(*protocol.snr_db)
        wanted = _power(heard) / 10.0 ** (snr_db / 10.0)
        stream += noise * np.float32(np.sqrt(wanted / max(_power(over), 1e-12)))
    return _record(stream, protocol, random)


def mix_noise(
    noises: list[NDArray[np.float32]], protocol: Protocol, random: np.random.Generator
) -> NDArray[np.float32]:
    """Return a second, float32 [8000], in which nobody says a digit."""
    if random.random() < 0.2:
        stream = np.zeros(_SPAN, dtype=np.float32)
    else:
        stream = _segment(noises, 0, _SPAN, random)
    return _record(stream, protocol, random)


def _segment(
    noises: list[NDArray[np.float32]], start: int, length: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Cut a second of noise that is not nearly silent where the word goes."""
    for _ in range(20):
        noise = noises[int(random.integers(len(noises)))]
        offset = int(random.integers(len(noise)))
        segment = np.take(noise, np.arange(offset, offset + _SPAN), mode="wrap")
        over = _power(segment[start : start + length])
        if over > 1e-8 and over > 0.05 * _power(segment):
            break
    return segment


def _record(
    stream: NDArray[np.float32], protocol: Protocol, random: np.random.Generator
) -> NDArray[np.float32]:
    """Set the level: any in a room, with the microphone's own noise; else below clipping."""
    peak = float(np.abs(stream).max())
    if not protocol.room:
        return stream / np.float32(max(peak, 1.0))
    level = 10.0 ** (random.uniform(-32.0, 0.0) / 20.0)
    if peak > 0.0:
        stream = stream * np.float32(level / peak)
    hiss = 10.0 ** (random.uniform(-80.0, -62.0) / 20.0)
    stream = stream + random.standard_normal(len(stream), dtype=np.float32) * np.float32(hiss)
    return np.clip(stream, -1.0, 1.0)


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))
