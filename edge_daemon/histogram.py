"""Percentiles of a year of durations in a fixed amount of memory."""

import math


class Histogram:
    """Counts durations in buckets whose bounds grow by 2 %, from 1 µs to about 1000 s.

    A percentile is therefore exact to ±1 %; shorter and longer values fall into the end buckets.
    """

    _GROWTH = 1.02
    _FLOOR_MS = 1e-3
    _BUCKETS = 1050

    def __init__(self) -> None:
        self._counts = [0] * self._BUCKETS
        self._log_growth = math.log(self._GROWTH)
        self.total = 0

    def add(self, value_ms: float) -> None:
        """Count one duration in milliseconds."""
        ratio = value_ms / self._FLOOR_MS
        bucket = int(math.log(ratio) / self._log_growth) if ratio > 1 else 0
        self._counts[min(bucket, self._BUCKETS - 1)] += 1
        self.total += 1

    def percentile(self, percent: float) -> float | None:
        """Return the duration in milliseconds below which `percent` of them lie; None if empty."""
        if self.total == 0:
            return None
        rank = max(1, math.ceil(self.total * percent / 100))
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= rank:
                return float(self._FLOOR_MS * self._GROWTH ** (bucket + 0.5))
        raise AssertionError("counts and total disagree")
