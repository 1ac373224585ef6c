"""The four tiers, ordered by what they cost."""

from enum import StrEnum


class Tier(StrEnum):
    """How much of the input a pipeline uses, from the cheapest to the dearest."""

    CRITICAL = "critical"  # visual, downsampled
    LOW = "low"  # visual only
    MEDIUM = "medium"  # visual and partial audio
    HIGH = "high"  # visual and full audio

    @property
    def rank(self) -> int:
        """0 for `critical` to 3 for `high`."""
        return _RANKS[self]


TIERS: tuple[Tier, ...] = tuple(Tier)
"""All tiers, cheapest first."""

_RANKS = {tier: rank for rank, tier in enumerate(Tier)}
