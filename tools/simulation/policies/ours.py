"""The daemon's own policy, on readings of the simulated board; parts of it can be left out."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from edge_daemon.governor.estimate import FILTERS, Filters
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.policy import decide, start
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import Tier


@dataclass(frozen=True)
class OursSettings:
    """What it goes by, and what it must do without.

    Attributes:
        limits: the daemon's `governor.limits`.
        filters: how fast it believes what.
        profiled: whether the tiers' costs are known; else the published table's bands decide.
        without_own: count the daemon's own load as others'.
        without_cycles: do not tell what windows take.
    """

    limits: Limits = field(default_factory=Limits)
    filters: Filters = FILTERS
    profiled: bool = True
    without_own: bool = False
    without_cycles: bool = False


class Ours:
    """Drives `edge_daemon.governor.policy` as the governor does.

    Args:
        profile: the tiers' costs.
        settings: what it goes by.
    """

    def __init__(self, profile: Profile, settings: OursSettings) -> None:
        self._profile = replace(profile, measured=settings.profiled)
        self._settings = settings
        self._state: PolicyState | None = None

    def first(self, reading: Reading) -> Tier:
        """Return the tier to begin with."""
        limits = self._settings.limits
        self._state, decision = start(
            Tier.CRITICAL, self._seen(reading), self._profile, limits, self._settings.filters
        )
        return decision.tier

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return what is decided, and when it wants to look again."""
        limits = self._settings.limits
        state = self._state or PolicyState(Tier.CRITICAL)
        self._state, decision = decide(
            state, self._seen(reading), self._profile, limits, self._settings.filters
        )
        return decision.tier, decision.poll_s

    def _seen(self, reading: Reading) -> Reading:
        if self._settings.without_own and reading.cpu_foreign is not None:
            total = min(1.0, reading.cpu_foreign + (reading.cpu_own or 0.0))
            reading = replace(reading, cpu_foreign=total, cpu_own=0.0)
        if self._settings.without_cycles:
            reading = replace(reading, cycle_ms=None, cycle_tier=None, cycles=0)
        return reading
