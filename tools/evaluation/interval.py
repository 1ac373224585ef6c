"""Confidence intervals by bootstrap over groups of samples that belong together."""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000


def bootstrap_interval(
    right: NDArray[np.bool_],
    groups: NDArray[np.integer],
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile interval of the share of right answers (Efron 1979), by group.

    Ten thousand pairs that reuse 250 recordings are not ten thousand independent samples: whole
    groups are drawn with replacement.

    Args:
        right: bool [N].
        groups: int [N], such as the recording that a sample is made from.
        seed: of the resampling.
        level: of confidence.
    """
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group)
    hits = np.bincount(group, weights=right)
    random = np.random.default_rng(seed)
    shares = np.empty(RESAMPLES)
    for row in range(RESAMPLES):
        drawn = random.integers(0, len(sizes), len(sizes))
        shares[row] = hits[drawn].sum() / sizes[drawn].sum()
    low, high = np.quantile(shares, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)
