"""Streaming change of sample rate with a delay of a few milliseconds.

A polyphase FIR filter (Crochiere and Rabiner, *Multirate Digital Signal Processing*, 1983) with
a Kaiser-windowed sinc. FFT-based resamplers such as soxr are as good, but they hand out their
result in bursts of up to 0.1 s, and every millisecond here is one more of a prediction's age.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

NS_PER_S = 1_000_000_000
ZEROS = 40
"""Zero crossings of the sinc on each side. The pass band is flat up to 95 % of the lower Nyquist
frequency, and what aliases stays above that; the delay is ZEROS / lower rate: 5 ms at 8 kHz."""
KAISER_BETA = 6.2
"""About 65 dB of stop-band attenuation."""


class StreamResampler:
    """Turns float32 mono samples at `from_hz` into samples at `to_hz`, chunk by chunk.

    The chunks' sizes do not matter: the result is that of the whole signal at once. Output sample
    m stands for the time of input sample m · from_hz / to_hz; before the first sample there is
    silence.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if from_hz < 1 or to_hz < 1:
            raise ValueError(f"rates must be positive, not {from_hz} and {to_hz} Hz")
        divisor = math.gcd(from_hz, to_hz)
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._up = to_hz // divisor
        self._down = from_hz // divisor
        self._half = 0 if from_hz == to_hz else math.ceil(ZEROS * max(1.0, from_hz / to_hz))
        self._taps = _polyphase(self._up, self._half, min(1.0, to_hz / from_hz))
        self.reset()

    @property
    def delay_s(self) -> float:
        """Seconds of input after a moment that must be known before its output comes."""
        return self._half / self.from_hz

    def reset(self) -> None:
        """Forget the signal so far."""
        # The first window reaches half - 1 samples before the start.
        self._pending = np.zeros(max(0, self._half - 1), dtype=np.float32)
        self._received = 0
        self._returned = 0

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what can be said about the signal now.

        Args:
            samples: float32 [n], the next input.

        Returns:
            float32 [m], the next output; m may be 0.
        """
        self._received += len(samples)
        if self._half == 0:
            self._returned = self._received
            return samples
        pending = np.concatenate((self._pending, samples))
        # Output m needs the `half` samples after position floor(m · down / up).
        last = self._received - 1 - self._half
        ready = (last * self._up + self._up - 1) // self._down + 1 if last >= 0 else 0
        numbers = np.arange(self._returned, max(ready, self._returned), dtype=np.int64)
        positions, phases = np.divmod(numbers * self._down, self._up)
        # pending[0] is input sample `origin`; a window starts half - 1 before its position.
        origin = self._received - len(pending)
        starts = positions - (self._half - 1) - origin
        output: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        if len(numbers):
            windows = sliding_window_view(pending, 2 * self._half)[starts]
            if self._up == 1:
                # Not @: BLAS would wake its other threads for this little.
                output = np.einsum("ij,j->i", windows, self._taps[0])
            else:
                output = np.einsum("ij,ij->i", windows, self._taps[phases])
        self._returned += len(numbers)
        keep_from = self._returned * self._down // self._up - (self._half - 1) - origin
        self._pending = pending[min(max(keep_from, 0), len(pending)) :].copy()
        return output

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the signal, as if silence followed, and reset.

        In all, ceil(n · to_hz / from_hz) samples come out for n that went in.
        """
        total = -(-self._received * self.to_hz // self.from_hz)
        missing = total - self._returned
        tail = self(np.zeros(self._half, dtype=np.float32))[: max(0, missing)]
        self.reset()
        return tail

    @property
    def behind_ns(self) -> int:
        """How much older the last sample returned is than the last one received."""
        if not self._returned:
            return 0
        position = (self._returned - 1) * self.from_hz / self.to_hz
        return round((self._received - 1 - position) * NS_PER_S / self.from_hz)


def mix_down(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the channels: float32 [n, channels] to float32 [n]."""
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    mono: NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32)
    return mono


def _polyphase(up: int, half: int, cutoff: float) -> NDArray[np.float32]:
    """Return the filter's taps, float32 [up, 2 · half]: one row for each fraction of a sample.

    Row p weighs the input samples from half - 1 before a position to half after it, for an
    output that lies p / up of a sample behind that position. Each row sums to 1.
    """
    if half == 0:
        return np.ones((1, 1), dtype=np.float32)
    offsets = np.arange(2 * half) - (half - 1) - np.arange(up)[:, None] / up
    inside = np.clip(1 - (offsets / half) ** 2, 0.0, None)
    taps = np.sinc(cutoff * offsets) * np.i0(KAISER_BETA * np.sqrt(inside))
    normalised: NDArray[np.float64] = taps / taps.sum(axis=1, keepdims=True)
    return normalised.astype(np.float32)
