"""Fitting the projection of sensor data: principal components of training windows."""

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.aggregate import aggregate
from edge_daemon.features.projection import Projection
from edge_daemon.features.spec import SensorSpec

WITHIN = (0.005, 0.995)
"""Quantiles of a component that become 0 and 1: a few strange windows must not set the scale."""


def fit_projection(windows: NDArray[np.float32], spec: SensorSpec) -> Projection:
    """Find the directions along which training windows differ most.

    Principal components (Hotelling 1933) of the standardised statistics, since these have several
    units; a statistic that never changes gets no weight. An axis points to where its largest
    weight is positive, so that the same windows give the same signs.

    Args:
        windows: float32 [n, window, axes], finite, of training data only.
        spec: the statistics, and how many components to keep.

    Raises:
        ValueError: too few windows, or too much alike, for as many components.
    """
    statistics = aggregate(windows, spec).astype(np.float64)
    if len(statistics) <= spec.components:
        raise ValueError(
            f"{len(statistics)} windows are too few for {spec.components} components; record more, "
            "or ask for fewer components"
        )
    mean, deviation = statistics.mean(axis=0), statistics.std(axis=0)
    # What float32 itself loses is no change.
    changes = deviation > 1e-6 * np.maximum(1.0, np.abs(mean))
    scale = np.where(changes, deviation, np.inf)
    _, strengths, directions = np.linalg.svd((statistics - mean) / scale, full_matrices=False)
    if strengths[spec.components - 1] <= 1e-6 * max(strengths[0], 1.0):
        raise ValueError(
            f"the windows differ in fewer than {spec.components} directions; record more kinds of "
            "movement, or ask for fewer components"
        )
    axes = directions[: spec.components]
    strongest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    axes = axes * np.sign(strongest) / scale
    low, high = np.quantile((statistics - mean) @ axes.T, WITHIN, axis=0)
    return Projection(*(array.astype(np.float32) for array in (mean, axes, low, high)))
