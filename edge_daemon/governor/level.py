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
        confirm_s: a rise counts once it has lasted this long, and as far as two readings in a row
            show it, so that a peak of a second is no rise; 0 takes each reading as it is. A
            reading stands for the time since the one before.
    """

    rise: float
    fall: float
    sigma: float
    sigma_least: float
    spread: float = 0.1
    slope: float = 0.2
    outlier: float = 3.0
    hold_s: float = 5.0
    confirm_s: float = 0.0


class Level(Struct, frozen=True):
    """What is believed of a signal.

    Attributes:
        value: in the signal's unit; None is not known.
        sigma: standard deviation of a reading around it.
        rate: slope of the value, per second; 0 without one.
        age_s: time since the signal was last seen.
        seen: what it was then.
        rising_s: for how long it has been above the value.
    """

    value: float | None
    sigma: float
    rate: float = 0.0
    age_s: float = 0.0
    seen: float = 0.0
    rising_s: float = 0.0


def begin(seen: float | None, pace: Pace) -> Level:
    """Return the level of a signal that nothing is known of but, perhaps, one reading."""
    return Level(seen, pace.sigma, seen=0.0 if seen is None else seen)


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
        return Level(old, before.sigma, before.rate, age_s, before.seen, before.rising_s)
    if old is None:
        return begin(seen, pace)
    news = seen - old
    variance = before.sigma * before.sigma
    bounded = min(abs(news), pace.outlier * before.sigma)
    variance += _share(pace.spread, age_s) * (bounded * bounded - variance)
    rising_s = 0.0
    if news > 0.0:
        rising_s = before.rising_s + age_s
        if rising_s < pace.confirm_s:
            news = 0.0
        elif pace.confirm_s > 0.0 and before.rising_s > 0.0:
            news = max(0.0, min(news, before.seen - old))
    change = _share(pace.rise if news > 0.0 else pace.fall, age_s) * news
    rate = before.rate + _share(pace.slope, age_s) * (change / age_s - before.rate)
    sigma = max(pace.sigma_least, math.sqrt(variance))
    return Level(old + change, sigma, rate, 0.0, seen, rising_s)


def _share(of_second: float, span_s: float) -> float:
    return float(1.0 - (1.0 - of_second) ** span_s)
