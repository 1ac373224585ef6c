"""Linux's schedutil governor with tiers in place of clocks."""

from dataclasses import dataclass

from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tools.simulation.policies.needs import free_with_mib, highest, own_load


@dataclass(frozen=True, slots=True)
class SchedutilSettings:
    """What it goes by.

    Attributes:
        headroom: factor on the load that is foreseen; the kernel's is 1.25.
        hold_s: least time between two changes, as its rate limit.
        reserve_mib: memory that a tier must leave.
    """

    headroom: float = 1.25
    hold_s: float = 1.0
    reserve_mib: float = 16.0


class Schedutil:
    """The highest tier whose load with that of others, times the headroom, fits all cores.

    The kernel's rule (docs.kernel.org/scheduler/schedutil.html) chooses the clock at which the
    utilisation would be 80 %; here the tier is chosen. Memory must fit as well.

    Args:
        profile: the tiers' costs.
        settings: what it goes by.
    """

    def __init__(self, profile: Profile, settings: SchedutilSettings) -> None:
        self._profile = profile
        self._settings = settings
        self._tier = Tier.CRITICAL
        self._changed_s = float("-inf")

    def first(self, reading: Reading) -> Tier:
        """Return the tier of the reading."""
        return self.next(reading)[0]

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier of the reading, unless the last change is too fresh."""
        rules, now_s = self._settings, reading.time_ns / 1e9
        if now_s - self._changed_s < rules.hold_s or reading.cpu_foreign is None:
            return self._tier, 1.0
        load = reading.cpu_foreign
        tier = highest(
            [
                rules.headroom * (load + own_load(self._profile, each)) <= 1.0
                and free_with_mib(self._profile, reading, self._tier, each) >= rules.reserve_mib
                for each in TIERS
            ]
        )
        if tier is not self._tier:
            self._tier, self._changed_s = tier, now_s
        return tier, 1.0
