"""The streaming log-mel spectrogram: only new hops are computed."""

from typing import cast

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from edge_daemon.features.spec import AudioSpec

FLOOR_DB = -100.0
"""Decibels of digital silence."""

_NUMPY_1 = np.__version__.startswith("1.")
"""What tflite-runtime needs; its transforms are in double precision and take no `out`."""

_DB_PER_NEPER = np.float32(10.0 / np.log(10.0))  # of power
_FLOOR_POWER = np.float32(10.0 ** (FLOOR_DB / 10.0))


_BLAS_ALONE = 250_000
"""Multiplications up to which OpenBLAS stays in the calling thread. Beyond, it wakes others to
share a few microseconds of work: ten times slower wherever other threads are busy too."""


def hz_to_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.

    Chosen over HTK's because its lowest bands are no narrower than a bin of a 32 ms transform.
    """
    linear = frequency_hz * 3.0 / 200.0
    logarithmic = 15.0 + 27.0 * np.log(np.maximum(frequency_hz, 1000.0) / 1000.0) / np.log(6.4)
    return cast(NDArray[np.float64], np.where(frequency_hz < 1000.0, linear, logarithmic))


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `hz_to_mel`."""
    logarithmic = 1000.0 * np.exp((np.maximum(mel, 15.0) - 15.0) * np.log(6.4) / 27.0)
    return cast(NDArray[np.float64], np.where(mel < 15.0, mel * 200.0 / 3.0, logarithmic))


def fft_length(spec: AudioSpec) -> int:
    """Length of the transform in samples: the window's next power of two."""
    return 1 << (spec.window - 1).bit_length()


def mel_weights(spec: AudioSpec) -> NDArray[np.float32]:
    """Triangular filters with a peak of 1.

    Returns:
        float32 [fft_length / 2 + 1, kept bands]. A band that is narrower than a bin and falls
        between two takes the nearest one, so that no band is always silent.
    """
    bins_hz = np.fft.rfftfreq(fft_length(spec), 1.0 / spec.sample_rate_hz)
    low, high = hz_to_mel(np.array([spec.low_hz, spec.high_hz]))
    edges_hz = mel_to_hz(np.linspace(low, high, spec.bands + 2))
    left, centre, right = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - left) / (centre - left)
    falling = (right - bins_hz[:, None]) / (right - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    for band in np.flatnonzero(weights.max(axis=0) == 0.0):
        weights[np.abs(bins_hz - centre[band]).argmin(), band] = 1.0
    return weights[:, slice(*spec.band_slice)].astype(np.float32)


class _Transform:
    """Samples to decibels: window, transform, mel bands, logarithm. Holds its work space."""

    def __init__(self, spec: AudioSpec) -> None:
        self._window, self._hop = spec.window, spec.hop
        weights = mel_weights(spec)
        used = np.flatnonzero(weights.any(axis=1))
        self._bins = slice(int(used[0]), int(used[-1]) + 1)
        # A periodic Hann window scaled so that a full-scale sine is 0 dB in its bin.
        phase = 2.0 * np.pi * np.arange(spec.window) / spec.window
        hann = 0.5 - 0.5 * np.cos(phase)
        self._hann = (hann * 2.0 / hann.sum()).astype(np.float32)
        # Real and imaginary squares lie side by side: repeated weights add them up for free.
        self._weights = np.repeat(weights[self._bins], 2, axis=0)
        most_hops = max(1, _BLAS_ALONE // self._weights.size)
        self.most_hops = most_hops
        self._frames = np.zeros((most_hops, fft_length(spec)), dtype=np.float32)
        self._spectrum = np.empty((most_hops, fft_length(spec) // 2 + 1), dtype=np.complex64)
        self._squares = np.empty((most_hops, len(self._weights)), dtype=np.float32)

    def windows(self, samples: NDArray[np.float32], hops: int) -> NDArray[np.float32]:
        """Return overlapping windows of contiguous samples, [hops, window], without copying."""
        step = samples.itemsize
        return as_strided(samples, (hops, self._window), (self._hop * step, step), writeable=False)

    def __call__(self, windows: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Fill `out`, float32 [hops, kept bands], from as many windows."""
        hops = len(out)
        frames = self._frames[:hops]
        np.multiply(windows, self._hann, out=frames[:, : self._window])
        spectrum = self._spectrum[:hops]
        if _NUMPY_1:
            np.copyto(spectrum, np.fft.rfft(frames), casting="same_kind")
        else:
            # numpy 2 keeps float32 here; its stubs know complex128 only.
            np.fft.rfft(frames, out=spectrum)  # type: ignore[arg-type]
        parts = spectrum[:, self._bins].view(np.float32)
        squares = np.multiply(parts, parts, out=self._squares[:hops])
        np.matmul(squares, self._weights, out=out)
        np.fmax(out, _FLOOR_POWER, out=out)  # a NaN becomes silence
        np.log(out, out=out)  # numpy has vector code for this one, and none for log10
        np.multiply(out, _DB_PER_NEPER, out=out)


class LogMel:
    """The last `span` columns of a log-mel spectrogram, extended as samples arrive.

    Column h covers the samples from h·hop to h·hop + window, counted since the last reset; there
    is no padding. Memory is allocated once.
    """

    def __init__(self, spec: AudioSpec) -> None:
        self._spec = spec
        self._transform = _Transform(spec)
        # Samples not used up yet; one block of hops is computed from here at a time.
        self._samples = np.zeros(
            (self._transform.most_hops - 1) * spec.hop + spec.window, dtype=np.float32
        )
        self._windows = self._transform.windows(self._samples, self._transform.most_hops)
        # Columns are written forwards and moved to the front when the end is reached, so that the
        # newest `span` are always contiguous: one copy of `span` columns each 3·span hops.
        length = 4 * max(spec.span, self._transform.most_hops)
        self._columns = np.empty((length, spec.kept_bands), dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a gap in the sound."""
        self._held = 0
        self._skip = 0
        self._end = 0
        self._count = 0
        self._hops_seen = 0

    @property
    def hops_seen(self) -> int:
        """Hops since the last reset, those that have left the span included."""
        return self._hops_seen

    def push(self, samples: NDArray[np.float32]) -> int:
        """Take more samples.

        Args:
            samples: float32 [n], −1 to 1, at `sample_rate_hz`, following those pushed before.

        Returns:
            The number of whole new hops.
        """
        spec = self._spec
        before = self._hops_seen
        position = 0
        while position < len(samples):
            if self._skip:
                skipped = min(self._skip, len(samples) - position)
                self._skip -= skipped
                position += skipped
                continue
            taken = min(len(self._samples) - self._held, len(samples) - position)
            self._samples[self._held : self._held + taken] = samples[position : position + taken]
            self._held += taken
            position += taken
            hops = (self._held - spec.window) // spec.hop + 1
            if hops > 0:
                self._append(hops)
        return self._hops_seen - before

    def columns(self) -> NDArray[np.float32]:
        """Return the newest columns, oldest first.

        Returns:
            float32 [at most span, kept bands] in decibels, where a full-scale sine is 0 and
            silence −100: a read-only view that the next push may overwrite.
        """
        view = self._columns[self._end - self._count : self._end]
        view.flags.writeable = False
        return view

    def _append(self, hops: int) -> None:
        span, hop = self._spec.span, self._spec.hop
        if self._end + hops > len(self._columns):
            kept = min(self._count, span)
            self._columns[:kept] = self._columns[self._end - kept : self._end]
            self._end = kept
        self._transform(self._windows[:hops], self._columns[self._end : self._end + hops])
        self._end += hops
        self._count = min(self._count + hops, span)
        self._hops_seen += hops
        used = hops * hop
        left = max(0, self._held - used)
        self._samples[:left] = self._samples[used : self._held]
        self._skip = max(0, used - self._held)  # only where the hop is longer than the window
        self._held = left


def log_mel(samples: NDArray[np.float32], spec: AudioSpec) -> NDArray[np.float32]:
    """Compute the log-mel spectrogram of a whole clip.

    Args:
        samples: float32 [n], −1 to 1, at `sample_rate_hz`.
        spec: the transform.

    Returns:
        float32 [hops, kept bands] in decibels, all hops that fit whole: what `LogMel` gives.
    """
    hops = max(0, (len(samples) - spec.window) // spec.hop + 1)
    out = np.empty((hops, spec.kept_bands), dtype=np.float32)
    if hops:
        transform = _Transform(spec)
        samples = np.ascontiguousarray(samples, dtype=np.float32)
        for first in range(0, hops, transform.most_hops):
            last = min(first + transform.most_hops, hops)
            windows = transform.windows(samples[first * spec.hop :], last - first)
            transform(windows, out[first:last])
    return out
