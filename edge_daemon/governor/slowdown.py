"""How much slower windows are than the profile foresees, by a Kalman filter.

One factor for all tiers, as in ALERT (Wan et al. 2020, arXiv:1911.00119): whatever slows a window
that the profile does not know of (memory bandwidth, another clock, a library that changed) slows
the windows of every tier alike, so that what is seen in one tier says what to expect of another.
"""

import math

from msgspec import Struct

from edge_daemon.governor.profile import Profile
from edge_daemon.tier import Tier

_SMALLEST, _LARGEST = 0.05, 100.0
_LONGEST_S = 10.0  # for how long the factor is taken to move as it did


class SlowdownNoise(Struct, frozen=True):
    """What the filter assumes, and how fast it learns better.

    Attributes:
        drift: variance that a second adds to the factor at the least, as a share of its square.
        idle_variance: what the variance grows to, as a share of the factor's square, while no
            window is measured.
        least: standard deviation that a reading's mean has at the least, as a share of the factor.
        learn: share by which a reading corrects the variance of readings.
        hurry: share by which a reading corrects the drift.
        outlier: innovations count up to this many standard deviations.
        whole: a reading of fewer windows than this weighs less, in proportion.
    """

    drift: float = 1e-4
    idle_variance: float = 0.04
    least: float = 0.02
    learn: float = 0.05
    hurry: float = 0.2
    outlier: float = 3.0
    whole: int = 5


NOISE = SlowdownNoise()


class Slowdown(Struct, frozen=True):
    """Measured over expected time of a window. The defaults trust a profile of this board.

    Attributes:
        mean: the factor.
        variance: of the mean.
        noise: variance of a reading's mean time around it.
        moving: mean product of an innovation and the one before it: above 0 while the factor moves
            faster than the filter follows.
        innovation: by how much the last reading lay above what was foreseen.
    """

    mean: float = 1.0
    variance: float = 0.01
    noise: float = 0.0025
    moving: float = 0.0
    innovation: float = 0.0


def own_share(profile: Profile, tier: Tier, cores: float | None = None) -> float:
    """Return the share of the usable cores that a tier's windows ask for at full clock.

    Args:
        profile: what the tiers cost.
        tier: which one.
        cores: usable now; None takes the profile's.
    """
    cost = profile.tiers[tier]
    usable = max(0.01, profile.cores if cores is None else cores)
    # A window that takes longer than the period holds the next one back.
    return cost.cpu_ms / max(profile.period_ms, cost.cycle_ms) / usable


def expected_cycle_ms(
    profile: Profile, tier: Tier, load: float, own_share: float, clock_share: float
) -> float:
    """Return the median time of a tier's window, but for what `Slowdown` knows.

    The profile's time, stretched by what others do to caches and memory, by the clock, and by as
    much as all together ask for more than the cores give.

    Args:
        profile: what the tiers cost.
        tier: which one.
        load: share of the cores that others would keep busy at full clock. A load that was
            measured at a slower clock is larger by that: multiply it with the clock's share.
        own_share: share that the tier's windows ask for at full clock.
        clock_share: the clock as a share of the full one.
    """
    load = min(_LARGEST, max(0.0, load))
    own = min(_LARGEST, max(0.0, own_share))
    clock = min(1.0, max(0.05, clock_share))
    # Contention was measured with all cores but one busy; more than that does no more harm.
    cores = profile.cores
    crowded = min(1.0, load * cores / max(1.0, cores - 1.0))
    queued = max(1.0, (load + own) / clock)
    return profile.tiers[tier].cycle_ms * (1.0 + profile.contention * crowded) / clock * queued


def observe(
    before: Slowdown,
    ratio: float | None,
    count: int,
    span_s: float,
    noise: SlowdownNoise = NOISE,
) -> Slowdown:
    """Return the factor after `span_s` seconds, in which `count` windows took `ratio` in the mean.

    Both variances are learnt from the innovations. An optimal filter's do not resemble each other
    (Mehra 1970, On the identification of variances and adaptive Kalman filtering): where one is
    like the last, the factor is moving and the drift must grow; by how much they differ is the
    variance of the readings.

    Args:
        before: the factor so far.
        ratio: measured over expected time; None without windows. What is not a positive number
            counts as None.
        count: how many windows were measured.
        span_s: seconds since the last reading, 0 or more.
        noise: what is assumed.
    """
    mean, variance = before.mean, before.variance
    scale = mean * mean
    if ratio is None or count < 1 or not 0.0 < ratio < math.inf:
        limit = max(variance, noise.idle_variance * scale)
        variance = min(limit, variance + noise.drift * scale * span_s)
        return Slowdown(mean, variance, before.noise, before.moving, 0.0)
    ratio = min(_LARGEST, max(_SMALLEST, ratio))
    weight = min(1.0, count / noise.whole)
    variance += max(noise.drift * scale, before.moving) * min(span_s, _LONGEST_S)
    spread = variance + before.noise / weight
    bound = noise.outlier * math.sqrt(spread)
    innovation = min(bound, max(-bound, ratio - mean))
    gain = variance / spread
    moving = innovation * before.innovation
    unlike = innovation - before.innovation
    jitter = unlike * unlike / 2 - variance
    mean = min(_LARGEST, max(_SMALLEST, mean + gain * innovation))
    scale = mean * mean
    return Slowdown(
        mean,
        (1.0 - gain) * variance,
        min(
            scale,
            max(
                noise.least * noise.least * scale,
                before.noise + noise.learn * weight * (jitter - before.noise),
            ),
        ),
        min(scale, before.moving + noise.hurry * weight * (moving - before.moving)),
        innovation,
    )


def quantile(slowdown: Slowdown, z: float, jitter: float = 0.0) -> float:
    """Return the factor that a window stays below with the probability of `z`.

    Args:
        slowdown: the factor.
        z: standard deviations above the mean, 1.64 for 95 %.
        jitter: standard deviation of single windows around their mean, as a share of it: 0 for
            the mean of a reading's windows.
    """
    single = jitter * slowdown.mean
    variance = slowdown.variance + max(0.0, slowdown.moving) + slowdown.noise + single * single
    return max(_SMALLEST, min(_LARGEST, slowdown.mean + z * math.sqrt(variance)))
