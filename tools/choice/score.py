"""One number for accuracy and time together."""

import math

W = -0.07
"""What twice the time costs: 5 % of the score (Tan et al. 2019)."""


def score(accuracy: float, latency_us: float, target_us: float, w: float = W) -> float:
    """Return ACC · (LAT / TAR)^w, the soft objective of MnasNet (Tan et al. 2019).

    At the target it is the accuracy; a slower model scores less, a faster one more. It forbids
    nothing: what a model must not exceed is a budget.

    Args:
        accuracy: share of right answers, 0 to 1.
        latency_us: time of one inference.
        target_us: time that is aimed at.
        w: below 0.

    Raises:
        ValueError: `w` is not below 0, or an argument is outside its range.
    """
    if not w < 0.0:
        raise ValueError(
            f"w is {w:g}, which would reward slow models; it must be below 0, such as {W:g}"
        )
    if not 0.0 <= accuracy <= 1.0:
        raise ValueError(f"accuracy is {accuracy:g}; it must be a share from 0 to 1")
    for name, value in (("latency_us", latency_us), ("target_us", target_us)):
        if not (value > 0.0 and math.isfinite(value)):
            raise ValueError(f"{name} is {value:g}; it must be a time above 0")
    return float(accuracy * (latency_us / target_us) ** w)
