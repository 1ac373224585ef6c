"""Movement to a tensor: sliding windows of sensor data, their statistics, a few components."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge_daemon.features.aggregate import aggregate
from edge_daemon.features.projection import Projection
from edge_daemon.features.spec import SensorSpec

LARGEST = 1e9
"""Beyond this a value is broken, whatever the unit."""


def mend(samples: NDArray[np.float32], last: NDArray[np.float32]) -> NDArray[np.float32]:
    """Let every axis hold its last value where it is NaN, infinite or absurd.

    Args:
        samples: float32 [n, axes].
        last: float32 [axes], the mended sample before them.

    Returns:
        float32 [n, axes]; the samples themselves where nothing is broken.
    """
    sound = np.abs(samples) <= LARGEST  # never true of NaN
    if sound.all():
        return samples
    known = np.concatenate([last[None], samples])
    rows = np.where(sound, np.arange(1, len(known))[:, None], 0)
    return np.take_along_axis(known, np.maximum.accumulate(rows), axis=0)


def sensor_windows(samples: NDArray[np.float32], spec: SensorSpec) -> NDArray[np.float32]:
    """Cut a recording into windows.

    Args:
        samples: float32 [n, axes] at `rate_hz`.
        spec: the window and its hop.

    Returns:
        float32 [windows, window, axes], all that fit whole; what is broken is mended.
    """
    samples = checked(samples, spec)
    mended = mend(samples, np.zeros(spec.axes, np.float32))
    if len(mended) < spec.window:
        return np.empty((0, spec.window, spec.axes), np.float32)
    return sliding_window_view(mended, spec.window, axis=0)[:: spec.hop].transpose(0, 2, 1)


def sensor_tensors(
    samples: NDArray[np.float32], spec: SensorSpec, projection: Projection
) -> NDArray[np.float32]:
    """Compute the tensors of a whole recording.

    Args:
        samples: float32 [n, axes] at `rate_hz`.
        spec: the windows and their statistics.
        projection: fitted to such windows.

    Returns:
        float32 [windows, components] in 0 to 1: what `SensorFeatures` gives one by one.
    """
    return projection(aggregate(sensor_windows(samples, spec), spec))


class SensorFeatures:
    """The newest window of a stream to a model's sensor input.

    Window k covers the samples from k·hop to k·hop + window, counted since the last reset.

    Args:
        spec: the windows and their statistics.
        projection: fitted to such windows.

    Raises:
        ValueError: a projection for other statistics or another number of components.
    """

    def __init__(self, spec: SensorSpec, projection: Projection) -> None:
        if projection.axes.shape != (spec.components, spec.statistics):
            raise ValueError(
                f"projection: axes are {projection.axes.shape}, but the spec has "
                f"{spec.components} components of {spec.statistics} statistics; fit it to this spec"
            )
        self._spec = spec
        self._projection = projection
        # The newest window ends less than a hop before the newest sample.
        self._samples = np.zeros((spec.window + spec.hop - 1, spec.axes), np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a gap in the stream."""
        self._samples[:] = 0.0
        self._seen = 0

    @property
    def windows_seen(self) -> int:
        """Whole windows since the last reset."""
        return max(0, (self._seen - self._spec.window) // self._spec.hop + 1)

    def push(self, samples: NDArray[np.float32]) -> int:
        """Take more samples.

        Args:
            samples: float32 [n, axes], at `rate_hz`, following those pushed before.

        Returns:
            The number of whole new windows.

        Raises:
            ValueError: another number of axes.
        """
        before = self.windows_seen
        mended = mend(checked(samples, self._spec), self._samples[-1])
        held = self._samples
        count = min(len(mended), len(held))
        if count:
            held[:-count] = held[count:]
            held[-count:] = mended[-count:]
        self._seen += len(mended)
        return self.windows_seen - before

    def tensor(self) -> NDArray[np.float32] | None:
        """Return the newest whole window, float32 [1, components] in 0 to 1; None before it."""
        if not self.windows_seen:
            return None
        after = self._seen - (self.windows_seen - 1) * self._spec.hop - self._spec.window
        end = len(self._samples) - after
        window = self._samples[None, end - self._spec.window : end]
        return self._projection(aggregate(window, self._spec))


def checked(samples: NDArray[np.float32], spec: SensorSpec) -> NDArray[np.float32]:
    """Return samples of the right shape.

    Raises:
        ValueError: anything but [n, axes].
    """
    if samples.ndim != 2 or samples.shape[1] != spec.axes:
        raise ValueError(f"sensor samples of shape {samples.shape}: [n, {spec.axes}] is needed")
    return samples
