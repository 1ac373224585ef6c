"""What the board's work adds to its temperature: a model with two time constants.

    temperature = ambient + fast_k · fast + slow_k · slow

`fast` and `slow` are the drive (the share of the cores that is busy, times the clock) behind two
first-order filters: the chip, and the board with its case. Ambient and the two gains are learnt
while the daemon runs, by a Kalman filter on the parameters (recursive least squares whose
forgetting follows from how each parameter may drift).

- The ambient drifts freely.
- The gains return to their prior over `memory_s`, and so does their covariance. What the load does
  not excite therefore stays at the prior, and its variance is never above the prior's: there is no
  wind-up (Åström and Wittenmark 1995, Adaptive Control, ch. 11).
- Gains below 0 make no sense. The filter runs free of that; what is used is the most probable
  point with both gains at 0 or more, which with two constraints is one of four cases.

The model answers what a change of the load would add. It is no forecast by itself: over a minute
that nothing changes in, the temperature of now is the better one.
"""

import math

from msgspec import Struct


class HeatPrior(Struct, frozen=True):
    """What is assumed of a board before it is known. The drive is in shares of all cores, or W.

    Attributes:
        fast_s: time constant of the chip.
        slow_s: time constant of the board.
        fast_k: gain of the chip in K for each unit of the drive.
        slow_k: gain of the board.
        fast_sigma_k: standard deviation of the same between boards.
        slow_sigma_k: standard deviation of the same between boards.
        ambient_sigma_c: standard deviation of the ambient temperature where nothing is known.
        ambient_drift_c: standard deviation that it gains in a minute.
        noise_c: standard deviation of what the model does not explain.
        reach_s: for how long that is about the same: readings closer to each other than this tell
            less than one each.
        memory_s: how long the gains are remembered without work that confirms them.
        outlier: innovations count up to this many standard deviations.
    """

    fast_s: float = 5.0
    slow_s: float = 200.0
    fast_k: float = 2.8
    slow_k: float = 15.6
    fast_sigma_k: float = 2.8
    slow_sigma_k: float = 12.0
    ambient_sigma_c: float = 15.0
    ambient_drift_c: float = 0.3
    noise_c: float = 0.5
    reach_s: float = 10.0
    memory_s: float = 24 * 3600.0
    outlier: float = 3.0


PRIOR = HeatPrior()

MOST = 1000.0
"""A drive that no board has."""

Parameters = tuple[float, float, float]
"""Ambient in °C, fast and slow gain in K, without the constraint."""

Covariance = tuple[float, float, float, float, float, float]
"""Of ambient (a), fast (f) and slow (s) gain: aa, af, as, ff, fs, ss."""


class Heat(Struct, frozen=True):
    """The model as far as it is learnt.

    Attributes:
        fast_k: gain of the chip in K for each unit of the drive, 0 or more.
        slow_k: gain of the board.
        ambient_c: temperature without any work; None before the first one that is known.
        fast: the drive behind the filter of the chip.
        slow: the drive behind the filter of the board.
        drive: the last one known; None before the first.
        free: the parameters without the constraint on the gains.
        covariance: of those.
        prior: what is assumed.
    """

    fast_k: float = PRIOR.fast_k
    slow_k: float = PRIOR.slow_k
    ambient_c: float | None = None
    fast: float = 0.0
    slow: float = 0.0
    drive: float | None = None
    free: Parameters = (0.0, PRIOR.fast_k, PRIOR.slow_k)
    covariance: Covariance = (0.0, 0.0, 0.0, PRIOR.fast_sigma_k**2, 0.0, PRIOR.slow_sigma_k**2)
    prior: HeatPrior = PRIOR


def begin(prior: HeatPrior) -> Heat:
    """Return the model of a board that nothing is known of."""
    return Heat(
        prior.fast_k,
        prior.slow_k,
        free=(0.0, prior.fast_k, prior.slow_k),
        covariance=(0.0, 0.0, 0.0, prior.fast_sigma_k**2, 0.0, prior.slow_sigma_k**2),
        prior=prior,
    )


def observe(before: Heat, drive: float | None, temperature_c: float | None, span_s: float) -> Heat:
    """Return the model after `span_s` seconds under `drive`, at the end of which it is that warm.

    The first drive is taken for one that the board has settled under.

    Args:
        before: the model so far.
        drive: mean of the span, 0 to `MOST`; None holds the last one.
        temperature_c: None where it is not known.
        span_s: above 0.
    """
    drive = _valid(drive, before.drive)
    if drive is None:
        return before
    prior = before.prior
    if before.drive is None:
        fast = slow = drive
    else:
        fast = drive + (before.fast - drive) * math.exp(-span_s / prior.fast_s)
        slow = drive + (before.slow - drive) * math.exp(-span_s / prior.slow_s)
    if before.ambient_c is None:
        return _anchored(before, drive, fast, slow, temperature_c)
    fit = _drifted(before.free, before.covariance, prior, span_s)
    if temperature_c is not None and math.isfinite(temperature_c):
        fit = _corrected(*fit, fast, slow, temperature_c, prior, span_s)
    ambient_c, fast_k, slow_k = feasible(*fit)
    return Heat(fast_k, slow_k, ambient_c, fast, slow, drive, *fit, prior)


def resume(before: Heat, drive: float | None, temperature_c: float | None) -> Heat:
    """Return the model after a stretch that nobody watched, such as a suspend.

    The gains are kept. How far the board has cooled is read off the temperature, as far as the
    last ambient explains it; the rest is taken for another ambient.
    """
    drive = _valid(drive, before.drive)
    if drive is None:
        return before
    slow = drive
    if before.ambient_c is not None and temperature_c is not None and before.slow_k > 0.1:
        above_k = temperature_c - before.ambient_c - before.fast_k * drive
        slow = min(max(1.0, drive), max(0.0, above_k / before.slow_k))
    return _anchored(before, drive, drive, slow, temperature_c)


def move(before: Heat, temperature_c: float | None) -> Heat:
    """Return the model for another sensor: the gains stay, the ambient is another."""
    if before.drive is None:
        return before
    return _anchored(before, before.drive, before.fast, before.slow, temperature_c)


def rise_c(model: Heat, change: float, horizon_s: float) -> float:
    """Return how much hotter the board gets within `horizon_s` if the drive changes by `change`.

    To be added to the temperature of now. 0 where either makes no sense.

    Args:
        model: of the board.
        change: of the drive, at once and for good.
        horizon_s: how far ahead.
    """
    if not (math.isfinite(change) and horizon_s > 0.0):
        return 0.0
    fast_k = model.fast_k * -math.expm1(-horizon_s / model.prior.fast_s)
    slow_k = model.slow_k * -math.expm1(-horizon_s / model.prior.slow_s)
    return (fast_k + slow_k) * min(MOST, max(-MOST, change))


def feasible(free: Parameters, covariance: Covariance) -> tuple[float, float, float]:
    """Return the most probable parameters with gains of 0 or more.

    The minimum of a quadratic form under two constraints: either both gains are fine, or one is at
    0 and the rest follows by their covariance, or both are at 0 (Lawson and Hanson 1974, Solving
    Least Squares Problems, ch. 23).
    """
    ambient, fast, slow = free
    if fast >= 0.0 and slow >= 0.0:
        return free
    _, af, as_, ff, fs, ss = covariance
    if fast < 0.0 and (rest := slow - fs * fast / ff) >= 0.0:
        return ambient - af * fast / ff, 0.0, rest
    if slow < 0.0 and (rest := fast - fs * slow / ss) >= 0.0:
        return ambient - as_ * slow / ss, rest, 0.0
    determinant = ff * ss - fs * fs
    by_fast = (ss * fast - fs * slow) / determinant
    by_slow = (ff * slow - fs * fast) / determinant
    return ambient - af * by_fast - as_ * by_slow, 0.0, 0.0


def _drifted(
    free: Parameters, covariance: Covariance, prior: HeatPrior, span_s: float
) -> tuple[Parameters, Covariance]:
    """Let time pass: the ambient drifts, the gains return to the prior."""
    ambient, fast, slow = free
    aa, af, as_, ff, fs, ss = covariance
    keep = max(0.0, 1.0 - span_s / prior.memory_s)
    kept = keep * keep
    fast_var, slow_var = prior.fast_sigma_k**2, prior.slow_sigma_k**2
    return (
        (
            ambient,
            prior.fast_k + keep * (fast - prior.fast_k),
            prior.slow_k + keep * (slow - prior.slow_k),
        ),
        (
            min(prior.ambient_sigma_c**2, aa + prior.ambient_drift_c**2 * span_s / 60.0),
            keep * af,
            keep * as_,
            fast_var + kept * (ff - fast_var),
            kept * fs,
            slow_var + kept * (ss - slow_var),
        ),
    )


def _corrected(
    free: Parameters,
    covariance: Covariance,
    fast: float,
    slow: float,
    temperature_c: float,
    prior: HeatPrior,
    span_s: float,
) -> tuple[Parameters, Covariance]:
    """Let a temperature correct the parameters."""
    ambient, fast_k, slow_k = free
    aa, af, as_, ff, fs, ss = covariance
    to_a = aa + af * fast + as_ * slow
    to_f = af + ff * fast + fs * slow
    to_s = as_ + fs * fast + ss * slow
    noise = prior.noise_c**2 * max(1.0, prior.reach_s / span_s)
    spread = to_a + to_f * fast + to_s * slow + noise
    bound = prior.outlier * math.sqrt(spread)
    error_c = temperature_c - ambient - fast_k * fast - slow_k * slow
    pull = min(bound, max(-bound, error_c)) / spread
    return (
        (ambient + to_a * pull, fast_k + to_f * pull, slow_k + to_s * pull),
        (
            aa - to_a * to_a / spread,
            af - to_a * to_f / spread,
            as_ - to_a * to_s / spread,
            ff - to_f * to_f / spread,
            fs - to_f * to_s / spread,
            ss - to_s * to_s / spread,
        ),
    )


def _anchored(
    before: Heat, drive: float, fast: float, slow: float, temperature_c: float | None
) -> Heat:
    """Return the model with the ambient that explains the temperature, whatever it was before."""
    prior = before.prior
    _, fast_k, slow_k = before.free
    _, _, _, ff, fs, ss = before.covariance
    known = temperature_c is not None and math.isfinite(temperature_c)
    ambient_c = (temperature_c or 0.0) - before.fast_k * fast - before.slow_k * slow
    free_c = (temperature_c or 0.0) - fast_k * fast - slow_k * slow
    return Heat(
        before.fast_k,
        before.slow_k,
        ambient_c if known else None,
        fast,
        slow,
        drive,
        (free_c if known else 0.0, fast_k, slow_k),
        (prior.ambient_sigma_c**2, 0.0, 0.0, ff, fs, ss),
        prior,
    )


def _valid(drive: float | None, otherwise: float | None) -> float | None:
    return drive if drive is not None and 0.0 <= drive <= MOST else otherwise
