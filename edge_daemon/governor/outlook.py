"""How far each tier is from its limits: by the published table, or by what was measured here."""

from edge_daemon.governor.foresight import foreseen_margins
from edge_daemon.governor.lateness import late_margin
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin, Margins
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.governor.table import table_margins
from edge_daemon.tier import TIERS, Tier


def margins(state: PolicyState, reading: Reading, profile: Profile, limits: Limits) -> Margins:
    """Return the margins of every tier, worked out when they are asked for."""
    left_s = limits.battery.runtime_s
    if left_s is not None and state.unplugged_ns is not None:
        left_s = max(0.0, left_s - (reading.time_ns - state.unplugged_ns) / 1e9)
    running, estimate, runtime_s = state.tier, state.estimate, left_s or None

    def of(tier: Tier) -> list[Margin]:
        if profile.measured:
            found = foreseen_margins(tier, running, reading, estimate, profile, limits, runtime_s)
        else:
            found = table_margins(tier, reading, limits)
        late = late_margin(tier, state.lateness, limits)
        if late is not None:
            found.append(late)
        return found

    return Margins(of)


def bearable(found: Margins, tier: Tier) -> Tier:
    """Return the highest tier, from `tier` downwards, that no margin drives out."""
    while tier is not Tier.CRITICAL and any(margin.score <= 0 for margin in found[tier]):
        tier = TIERS[tier.rank - 1]
    return tier
