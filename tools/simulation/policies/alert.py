"""ALERT (Wan et al., USENIX ATC 2020) for one accuracy goal: a Kalman filter and a choice."""

import math
from dataclasses import dataclass

from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tools.simulation.policies.needs import free_with_mib


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Constants of the filter, the paper's but for the reserve.

    Attributes:
        measurement: variance of a measured slowdown.
        process: least variance by which the slowdown changes from one reading to the next.
        forgetting: weight of the past in that variance.
        reserve_mib: memory that a tier must leave; the paper knows no memory.
    """

    measurement: float = 0.001
    process: float = 0.1
    forgetting: float = 0.3
    reserve_mib: float = 16.0


class Alert:
    """The tier with the greatest expected accuracy, by one slowdown that all of them share.

    The slowdown is the measured over the profiled time of a window, filtered by a Kalman filter
    whose process noise adapts to its innovations; a tier's windows then take its profiled time
    times a normal variable, and what misses the deadline is worth nothing. The paper's energy goal
    is left out, and memory must fit as well.

    Args:
        profile: the tiers' costs; its period is the deadline.
        settings: constants of the filter.
    """

    def __init__(self, profile: Profile, settings: AlertSettings) -> None:
        self._profile = profile
        self._settings = settings
        self._tier = Tier.CRITICAL
        self._mean = 1.0
        self._variance = 0.1
        self._gain = 0.5
        self._noise = settings.process
        self._error = 0.0
        self._spread = settings.process

    def first(self, reading: Reading) -> Tier:
        """Return the tier of the reading."""
        return self.next(reading)[0]

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier with the greatest expected accuracy among those whose memory fits."""
        if reading.cycle_ms is not None and reading.cycle_tier is not None:
            self._observe(reading.cycle_ms / self._profile.tiers[reading.cycle_tier].cycle_ms)
        fitting = [
            tier
            for tier in TIERS
            if tier is Tier.CRITICAL
            or free_with_mib(self._profile, reading, self._tier, tier) >= self._settings.reserve_mib
        ]
        self._tier = max(fitting, key=self._worth)
        return self._tier, 1.0

    def _observe(self, slowdown: float) -> None:
        rules = self._settings
        before = (1.0 - self._gain) * self._variance
        self._noise = max(
            rules.process,
            rules.forgetting * self._noise
            + (1.0 - rules.forgetting) * (self._gain * self._error) ** 2,
        )
        self._variance = before + self._noise
        self._gain = self._variance / (self._variance + rules.measurement)
        self._error = slowdown - self._mean
        self._mean += self._gain * self._error
        self._spread = self._variance

    def _worth(self, tier: Tier) -> float:
        cost = self._profile.tiers[tier]
        deadline = self._profile.period_ms / cost.cycle_ms
        z = (deadline - self._mean) / math.sqrt(self._spread)
        return cost.accuracy * 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))
