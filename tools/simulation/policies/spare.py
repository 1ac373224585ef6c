"""The rule of thumb: leave a tenth of everything free."""

from dataclasses import dataclass

from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tools.simulation.policies.needs import free_with_mib, highest, own_load


@dataclass(frozen=True, slots=True)
class SpareSettings:
    """What it goes by.

    Attributes:
        spare: share of the cores and of the memory that stays free.
        smoothing: weight of the newest load in its moving mean; 1 takes it as it is.
        hold_s: least time between two moves up.
    """

    spare: float = 0.1
    smoothing: float = 1.0
    hold_s: float = 0.0


class Spare:
    """The highest tier that leaves a tenth of the cores, of the memory and of the temperature.

    Args:
        profile: the tiers' costs.
        ram_mib: of the board.
        settings: what it goes by.
    """

    def __init__(self, profile: Profile, ram_mib: float, settings: SpareSettings) -> None:
        self._profile = profile
        self._ram_mib = ram_mib
        self._settings = settings
        self._tier = Tier.CRITICAL
        self._load: float | None = None
        self._up_s = float("-inf")

    def first(self, reading: Reading) -> Tier:
        """Return the tier of the reading."""
        return self.next(reading)[0]

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier of the smoothed load and the memory."""
        rules, now_s = self._settings, reading.time_ns / 1e9
        if reading.cpu_foreign is not None:
            before = reading.cpu_foreign if self._load is None else self._load
            self._load = before + rules.smoothing * (reading.cpu_foreign - before)
        load = self._load or 0.0
        spare_mib = rules.spare * self._ram_mib
        limit_c = reading.temperature_limit_c
        hot = (
            reading.temperature_c is not None
            and limit_c is not None
            and reading.temperature_c > (1.0 - rules.spare) * limit_c
        )
        tier = highest(
            [
                load + own_load(self._profile, each) <= 1.0 - rules.spare
                and free_with_mib(self._profile, reading, self._tier, each) >= spare_mib
                and not (hot and each.rank > 0)
                for each in TIERS
            ]
        )
        if tier.rank > self._tier.rank:
            if now_s - self._up_s < rules.hold_s:
                return self._tier, 1.0
            self._up_s = now_s
        self._tier = tier
        return tier, 1.0
