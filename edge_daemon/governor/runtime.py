"""How long the charge lasts, from a power that jumps from one second to the next."""

import math

TAU_S = 60.0
"""Over about this long, powers are averaged."""

MAX_GAP_S = 300.0
"""Powers from before a longer pause say nothing of now."""

_LONGEST_S = 30 * 86_400.0


class MeanPower:
    """The mean of a power over the last minute or so, weighted exponentially by time.

    Args:
        first_s: time that the first value stands for.
    """

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self._sum = 0.0
        self._weight = 0.0
        self._read_ns = 0

    def add(self, power_w: float, now_ns: int) -> float:
        """Take one value in and return the mean."""
        span_s = (now_ns - self._read_ns) / 1e9
        if self._weight > 0.0 and not 0.0 <= span_s <= MAX_GAP_S:
            self.forget()
        if self._weight == 0.0:
            span_s = self._first_s
        kept = math.exp(-span_s / TAU_S)
        self._sum = kept * self._sum + (1.0 - kept) * power_w
        self._weight = kept * self._weight + (1.0 - kept)
        self._read_ns = now_ns
        return self._sum / self._weight

    def forget(self) -> None:
        """Begin anew: the batteries do not feed the board any more."""
        self._sum = self._weight = 0.0


def runtime_s(energy_wh: float | None, power_w: float | None) -> float | None:
    """Return how many whole seconds an energy lasts, at most a month; None if it is not known."""
    if energy_wh is None or power_w is None or power_w <= 0.0:
        return None
    return min(_LONGEST_S, float(round(energy_wh / power_w * 3600.0)))
