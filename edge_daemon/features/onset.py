"""Finds where the newest sound begins."""

import numpy as np
from numpy.typing import NDArray

_MARGIN_DB = 3.0
_CEILING_DB = 25.0
_LEAST_ACTIVITY_DB = 2.5
_RELATIVE = 0.4
_RELEASE = 0.4
_GAP = 15
_SHORTEST = 4
_SILENCE_DB = -85.0
_POOL = 4


def find_onset(columns_db: NDArray[np.float32]) -> int | None:
    """Find the first column of the newest sound.

    A sound is where the bands, each above its own noise floor (the 20th percentile over the
    span), rise together; hysteresis in height and in time keeps the syllables of one word
    together. A sound that was already there in the first column has no onset.

    Args:
        columns_db: float32 [columns, bands], oldest first, 10 ms apart or so.

    Returns:
        The index of a column, or None where nothing stands out.
    """
    count = len(columns_db)
    if count < 2 * _SHORTEST or float(columns_db.max()) < _SILENCE_DB:
        return None
    activity = _activity_db(columns_db)
    loudest = float(activity.max())
    if loudest < _LEAST_ACTIVITY_DB:
        return None
    attack = max(_LEAST_ACTIVITY_DB, _RELATIVE * loudest)
    active = np.flatnonzero(activity > _RELEASE * attack)
    # Runs of active columns, gaps within a word bridged.
    breaks = np.flatnonzero(np.diff(active) > _GAP)
    firsts = active[np.concatenate(([0], breaks + 1))]
    lasts = active[np.concatenate((breaks, [len(active) - 1]))]
    for first, last in zip(firsts[::-1], lasts[::-1], strict=True):
        run = activity[first : last + 1]
        if first > 0 and np.count_nonzero(run > attack) >= _SHORTEST:
            return int(first)
    return None


def _activity_db(columns_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 [columns]: the mean rise above the noise floor, smoothed over 3 columns."""
    count, bands = columns_db.shape
    pool = min(_POOL, bands)
    pooled = columns_db[:, : bands - bands % pool].reshape(count, -1, pool).mean(axis=2)
    floor = np.partition(pooled, count // 5, axis=0)[count // 5]
    rise = np.clip(pooled - (floor + np.float32(_MARGIN_DB)), 0.0, _CEILING_DB).mean(axis=1)
    smooth = rise.copy()
    smooth[1:-1] = (rise[:-2] + rise[1:-1] + rise[2:]) * np.float32(1.0 / 3.0)
    return smooth
