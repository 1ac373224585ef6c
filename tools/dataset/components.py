"""Pictures reduced to a few principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Components:
    """A principal component basis: mean float64 [784], axes float64 [k, 784], orthonormal."""

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]

    def keep(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Project uint8 [N, 28, 28] on the axes and back, clipped to 0–255."""
        flat = images.reshape(len(images), -1)
        kept = np.empty_like(flat)
        for first in range(0, len(flat), 5000):
            block = flat[first : first + 5000] - self.mean
            back = (block @ self.axes.T) @ self.axes + self.mean
            kept[first : first + 5000] = np.clip(np.rint(back), 0, 255).astype(np.uint8)
        return kept.reshape(images.shape)


def fit_components(images: NDArray[np.uint8], count: int) -> Components:
    """Fit the `count` axes of most variance; `images` must be the train split's."""
    flat = images.reshape(len(images), -1)
    mean = flat.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((flat.shape[1], flat.shape[1]))
    for first in range(0, len(flat), 5000):
        block = flat[first : first + 5000] - mean
        covariance += block.T @ block
    _, axes = np.linalg.eigh(covariance)
    return Components(mean, axes.T[::-1][:count].copy())
