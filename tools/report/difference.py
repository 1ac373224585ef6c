"""How much better one model is than another on the same pairs, with an interval."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000

Verdict = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Difference:
    """A difference of two shares of right answers.

    Attributes:
        value: the first's share less the second's.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """What the interval says of the first model."""
        if self.low > 0.0:
            return "better"
        if self.high < 0.0:
            return "worse"
        return "no difference shown"


def paired_difference(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    groups: NDArray[np.integer],
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Return the difference of two models' shares, its interval bootstrapped by group.

    Pairs that both models get right or wrong cancel out, so the interval is narrower than two
    separate ones would suggest. Whole groups are drawn with replacement (Efron 1979; by cluster:
    Davison and Hinkley 1997, section 3.8). Groups of equal size and difference are alike; how
    many of each kind are drawn is multinomial, which gives the same distribution at a fraction of
    the time.

    Args:
        first: bool [N], whether the first model is right.
        second: bool [N], the same of the second.
        groups: int [N], such as the recording that a pair is made from.
        seed: of the resampling.
        level: of confidence.
    """
    _, group = np.unique(groups, return_inverse=True)
    gained = first.astype(np.int64) - second.astype(np.int64)
    sizes = np.bincount(group)
    gains = np.bincount(group, weights=gained).astype(np.int64)
    kinds, counts = np.unique(np.stack([sizes, gains], 1), axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(sizes), counts / counts.sum(), RESAMPLES) @ kinds
    shares = drawn[:, 1] / drawn[:, 0]
    low, high = np.quantile(shares, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Difference(float(gained.mean()), float(low), float(high))
