"""One signal: its filtered value, how much it scatters, and which way it goes."""

import math

from msgspec import Struct


class Pace(Struct, frozen=True):
    """How fast a signal is believed; every share is that of a second.

    A share α of a second's news makes 1 - (1 - α)^t of that of t seconds, so that the pace is the
    same whatever the poll period.

    Attributes:
        rise: share of the news that is believed where the signal rises.
        fall: where it falls.
        sigma: standard deviation of a reading where nothing is known.
        sigma_least: what it is at the least.
        spread: share by which the variance follows.
        slope: share by which the slope follows.
        outlier: news count up to this many standard deviations in the variance.
        hold_s: how long a value counts that is not seen any more.
    """

    rise: float
    fall: float
    sigma: float
    sigma_least: float
    spread: float = 0.1
    slope: float = 0.2
    outlier: float = 3.0
    hold_s: float = 5.0


class Level(Struct, frozen=True):
    """What is believed of a signal.

    Attributes:
        value: in the signal's unit; None is not known.
        sigma: standard deviation of a reading around it.
        rate: slope of the value, per second; 0 without one.
        age_s: time since the signal was last seen.
    """

    value: float | None
    sigma: float
    rate: float = 0.0
    age_s: float = 0.0


def begin(seen: float | None, pace: Pace) -> Level:
    """Return the level of a signal that nothing is known of but, perhaps, one reading."""
    return Level(seen, pace.sigma)


def follow(before: Level, seen: float | None, span_s: float, pace: Pace) -> Level:
    """Return the level after a reading.

    Args:
        before: the level so far.
        seen: the reading, finite; None where it is missing: the value is held for a while.
        span_s: seconds since the reading before, above 0.
        pace: how fast it is believed.
    """
    old = before.value
    age_s = before.age_s + span_s
    if seen is None:
        if old is None or age_s > pace.hold_s:
            return begin(None, pace)
        return Level(old, before.sigma, before.rate, age_s)
    if old is None:
        return begin(seen, pace)
    news = seen - old
    part = 1.0 - (1.0 - (pace.rise if news > 0.0 else pace.fall)) ** age_s
    slope = before.rate + (1.0 - (1.0 - pace.slope) ** age_s) * (part * news / age_s - before.rate)
    variance = before.sigma * before.sigma
    bounded = min(abs(news), pace.outlier * before.sigma)
    variance += (1.0 - (1.0 - pace.spread) ** age_s) * (bounded * bounded - variance)
    return Level(old + part * news, max(pace.sigma_least, math.sqrt(variance)), slope)
