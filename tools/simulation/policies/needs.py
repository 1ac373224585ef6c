"""What a policy foresees of the tiers' load and memory from a profile."""

from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier


def own_load(profile: Profile, tier: Tier) -> float:
    """Return the share of all cores that a tier's windows take."""
    return profile.tiers[tier].cpu_ms / profile.period_ms / profile.cores


def free_with_mib(profile: Profile, reading: Reading, now: Tier, tier: Tier) -> float:
    """Return the memory that would be available in a tier; what is not known is plenty."""
    if reading.memory_available_mib is None:
        return float("inf")
    change_mib = profile.tiers[tier].memory_mib - profile.tiers[now].memory_mib
    return reading.memory_available_mib - change_mib


def highest(allowed: list[bool]) -> Tier:
    """Return the highest tier that is allowed; `critical` always is.

    Args:
        allowed: of every tier, cheapest first.
    """
    return max((tier for tier in TIERS if allowed[tier.rank]), default=Tier.CRITICAL, key=_rank)


def _rank(tier: Tier) -> int:
    return tier.rank
