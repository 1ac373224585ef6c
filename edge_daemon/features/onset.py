"""Finds where the newest sound begins."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_SILENCE_DB = -85.0
"""A span in which no band is ever louder is digital silence."""

_AFTER = 20
_BEFORE = 10
"""Columns after and before a moment that are compared: most of a syllable with what preceded."""

_FEWEST = 4
"""Columns that must lie on either side of an onset within the span."""

_MARGIN_DB = 2.0
"""A band that rises by less does not count: noise fluctuates that much."""

_LEAST_RISE_DB = 1.0
_RELATIVE = 0.9
"""The newest rise of at least this share of the strongest one is taken."""

_FRACTION = 0.3
_BACK, _FORTH = 8, 6
"""The onset is where the level crosses this fraction of the rise, so many columns around it."""

_POOL = 4
"""Neighbouring bands that are averaged first."""


def find_onset(columns_db: NDArray[np.float32]) -> int | None:
    """Find the first column of the newest sound.

    At each moment the mean level of each group of bands in the 200 ms after is compared with the
    100 ms before; the sum of the rises, those of steady noise left out, is largest where a sound
    begins (a spectral flux over a syllable rather than over a column). Bands are compared with
    their own past, so steady noise in some of them does not hide a word in the others, and no
    absolute level matters. Speech as loud as the noise is found less often than not within 50 ms;
    a bark or a tick is a sound like any other.

    Any of the bands will do. Speech is found in the lower half as well as in all of them, and less
    well without the lowest.

    Args:
        columns_db: float32 [columns, bands], oldest first, 10 ms apart or so.

    Returns:
        The index of a column, or None where nothing begins.
    """
    count, bands = columns_db.shape
    if count < 2 * _FEWEST or float(columns_db.max()) < _SILENCE_DB:
        return None
    level_db = columns_db @ _pool(bands)
    rise_db = _rise_db(level_db)
    counted = np.maximum(rise_db - np.float32(_MARGIN_DB), np.float32(0.0))
    salience = np.add.reduce(counted, axis=1) / np.float32(counted.shape[1])
    strongest = float(salience.max())
    if strongest < _LEAST_RISE_DB:
        return None
    newest = _newest_peak(salience, max(_LEAST_RISE_DB, _RELATIVE * strongest))
    rising = (counted[newest] > 0.0).astype(np.float32)
    rising /= np.add.reduce(rising)
    return _edge(level_db @ rising, newest + _FEWEST)


def _rise_db(level_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return after minus before, float32 [columns − 2·fewest + 1, groups], from column `fewest`."""
    count = len(level_db)
    total = np.zeros((count + 1, level_db.shape[1]), dtype=np.float32)
    np.add.accumulate(level_db, axis=0, out=total[1:])
    first, last, per_before, per_after = _spans(count)
    middle = total[_FEWEST : count - _FEWEST + 1]
    after = total.take(last, axis=0)
    after -= middle
    after *= per_after
    before = middle - total.take(first, axis=0)
    before *= per_before
    after -= before
    return after


@cache
def _spans(
    count: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Return where before begins and after ends at each moment, and one over their lengths."""
    at = np.arange(_FEWEST, count - _FEWEST + 1)
    first, last = np.maximum(at - _BEFORE, 0), np.minimum(at + _AFTER, count)
    per_before = (1.0 / (at - first)).astype(np.float32)[:, None]
    per_after = (1.0 / (last - at)).astype(np.float32)[:, None]
    return first, last, per_before, per_after


@cache
def _pool(bands: int) -> NDArray[np.float32]:
    """Return the averages over groups of bands, float32 [bands, groups]; the last may be small."""
    group = np.arange(bands) // _POOL
    member = group[:, None] == np.arange(group[-1] + 1)
    weights: NDArray[np.float32] = (member / member.sum(axis=0)).astype(np.float32)
    return weights


def _newest_peak(salience: NDArray[np.float32], threshold: float) -> int:
    """Return where the last stretch above the threshold is highest; short dips are bridged."""
    above = np.flatnonzero(salience >= threshold)
    breaks = np.flatnonzero(np.diff(above) > 3)
    first = above[breaks[-1] + 1] if len(breaks) else above[0]
    return int(first + salience[first : above[-1] + 1].argmax())


def _edge(level_db: NDArray[np.float32], around: int) -> int:
    """Walk back from just after the strongest contrast to the column where the level rises."""
    earliest = max(around - _BACK, 0)
    before = _mean(level_db[max(around - _BEFORE, 0) : around])
    after = _mean(level_db[around : around + _AFTER])
    threshold = before + _FRACTION * (after - before)
    stop = min(around + _FORTH, len(level_db) - 1)
    quiet = level_db[earliest : stop + 1] < threshold
    quiet[1:] &= quiet[:-1]  # one quiet column may be chance
    last = np.flatnonzero(quiet)
    return earliest if not len(last) else min(earliest + int(last[-1]) + 1, stop)


def _mean(values: NDArray[np.float32]) -> float:
    """Return the mean of a few values, at a third of what ndarray.mean takes for them."""
    return float(np.add.reduce(values)) / len(values)
