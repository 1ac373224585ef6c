"""What a window of sensor data is like: a few statistics for every axis and between axes.

The usual set of activity recognition: Bao and Intille, "Activity recognition from user-annotated
acceleration data" (Pervasive 2004), for mean, energy and correlation; Anguita et al., "A public
domain dataset for human activity recognition using smartphones" (ESANN 2013), for the rest.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.spec import SensorSpec

AXIS_STATISTICS = (
    "mean",
    "deviation",
    "lowest",
    "highest",
    "rms",
    "absolute deviation",
    "jerk",
    "crossings",
)
"""Of every axis; the bands follow them."""

STILL = 1e-6
"""Deviation, in the sensor's unit, up to which an axis counts as still."""


def statistic_names(spec: SensorSpec) -> tuple[str, ...]:
    """Name the statistics of a window in their order: `mean 0`, `mean 1`, …, `correlation 1 2`."""
    bands = [
        f"{low:g} to {high:g} Hz"
        for low, high in zip(spec.bands_hz[:-1], spec.bands_hz[1:], strict=True)
    ]
    by_axis = [f"{name} {axis}" for name in (*AXIS_STATISTICS, *bands) for axis in range(spec.axes)]
    first, second = np.triu_indices(spec.axes, 1)
    between = [f"correlation {one} {other}" for one, other in zip(first, second, strict=True)]
    return (*by_axis, "magnitude area", *between)


@functools.lru_cache(maxsize=8)
def band_weights(spec: SensorSpec) -> NDArray[np.float64]:
    """Return what turns |rfft|² of a window without its mean into the mean square of each band.

    Returns:
        float64 [window // 2 + 1, bands]. By Parseval's theorem, bands that cover all frequencies
        but 0 add up to the variance. A band narrower than a bin and between two is always 0.
    """
    frequencies_hz = np.fft.rfftfreq(spec.window, 1.0 / spec.rate_hz)
    edges_hz = np.array(spec.bands_hz)
    inside = (frequencies_hz[:, None] >= edges_hz[:-1]) & (frequencies_hz[:, None] < edges_hz[1:])
    inside[:, -1] |= frequencies_hz == edges_hz[-1]
    # Every frequency stands for its negative too, but for half the rate; at 0 nothing is left.
    sides = np.full(len(frequencies_hz), 2.0)
    if spec.window % 2 == 0:
        sides[-1] = 1.0
    weights = inside * (sides / spec.window**2)[:, None]
    weights.flags.writeable = False
    return weights


def aggregate(windows: NDArray[np.float32], spec: SensorSpec) -> NDArray[np.float32]:
    """Compute the statistics of each window.

    In double precision: gravity outweighs a slight movement by far, and an axis that stands still
    has a deviation of exactly 0.

    Args:
        windows: float32 [n, window, axes], finite, in the sensor's unit u.
        spec: the rate, and the bands of the spectrum.

    Returns:
        float32 [n, statistics], in the order of `statistic_names`. In u: mean, standard deviation,
        lowest, highest, root mean square, mean absolute deviation, root mean square in each band
        (without the mean) and signal magnitude area, the mean of the sum of all axes' absolute
        values. In u/s: jerk, the mean absolute change. In Hz: crossings of the mean. Correlations
        are from -1 to 1, and 0 where an axis stands still.
    """
    count, length, axes = windows.shape
    values = np.ascontiguousarray(windows.transpose(0, 2, 1), dtype=np.float64)
    mean = values.mean(axis=2)
    moved = values - mean[:, :, None]
    products = np.matmul(moved, moved.transpose(0, 2, 1)) / length
    variance = products.diagonal(axis1=1, axis2=2)
    deviation = np.sqrt(variance)
    jerk = np.abs(np.diff(values)).mean(axis=2) * spec.rate_hz
    above = moved >= 0.0
    crossings = (above[:, :, 1:] != above[:, :, :-1]).mean(axis=2) * spec.rate_hz
    spectrum = np.fft.rfft(moved)
    bands = np.sqrt((spectrum.real**2 + spectrum.imag**2) @ band_weights(spec))
    scale = np.where(deviation > STILL, deviation, np.inf)
    first, second = np.triu_indices(axes, 1)
    correlation = products[:, first, second] / (scale[:, first] * scale[:, second])
    by_axis = (
        mean,
        deviation,
        values.min(axis=2),
        values.max(axis=2),
        np.sqrt(mean**2 + variance),
        np.abs(moved).mean(axis=2),
        jerk,
        crossings,
        bands.transpose(0, 2, 1).reshape(count, spec.bands * axes),
    )
    magnitude = np.abs(values).mean(axis=2).sum(axis=1, keepdims=True)
    return np.concatenate([*by_axis, magnitude, correlation], axis=1, dtype=np.float32)
