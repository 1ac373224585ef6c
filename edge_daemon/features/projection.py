"""Fewer numbers: a linear projection to principal components, scaled to what int8 inputs take."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Projection:
    """Where a window lies along a few axes; fitted offline, applied on the board.

    Attributes:
        mean: float32 [statistics], taken off first.
        axes: float32 [components, statistics]. The statistics have several units, so their
            standard deviations are divided out in here.
        low: float32 [components], what becomes 0.
        high: float32 [components], what becomes 1.

    Raises:
        ValueError: shapes that do not fit together, a number that is not finite, or a `high` that
            is not above its `low`.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check the arrays."""
        components, statistics = self.axes.shape if self.axes.ndim == 2 else (0, 0)
        wanted = {
            "axes": (components, statistics),
            "mean": (statistics,),
            "low": (components,),
            "high": (components,),
        }
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found.shape != shape or not components:
                raise ValueError(
                    f"projection: {name} has the shape {found.shape}; axes [components, "
                    "statistics], mean [statistics], low and high [components] are needed"
                )
            if not np.isfinite(found).all():
                raise ValueError(f"projection: {name} has numbers that are not finite; fit it anew")
        if not (self.high > self.low).all():
            raise ValueError("projection: high must be above low for every component; fit it anew")

    def along(self, statistics: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map float32 [n, statistics] to float32 [n, components], not yet scaled."""
        components: NDArray[np.float32] = np.matmul(statistics - self.mean, self.axes.T)
        return components

    def __call__(self, statistics: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map float32 [n, statistics] to float32 [n, components] in 0 to 1."""
        scaled = self.along(statistics)
        scaled -= self.low
        scaled /= self.high - self.low
        np.fmax(scaled, np.float32(0.0), out=scaled)  # a NaN becomes 0
        np.fmin(scaled, np.float32(1.0), out=scaled)
        return scaled
