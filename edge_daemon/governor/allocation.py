"""What the tiers are worth, and up to which one a part of the input is worth having.

The tiers nest: each adds one part of the input to the one below, and a resource is given to the
parts in that order, as far as it reaches, and taken from them in reverse. The first part, the
small picture of `critical`, needs nothing that is ever refused: its model is always loaded.
"""

from functools import lru_cache

from edge_daemon.governor.limits import Priorities
from edge_daemon.governor.profile import Profile
from edge_daemon.tier import TIERS, Tier

Worths = tuple[float, float, float, float]
"""What the tiers are worth, from `critical` on."""


def worths(
    profile: Profile, priorities: Priorities, *, sound: bool = True, picture: bool = True
) -> Worths:
    """Return what each tier is worth, from `critical` on; never less than the tier below.

    A part is worth the accuracy that it adds, times its priority. What does not arrive is worth
    nothing: without a picture, a tier is worth what it hears.

    Args:
        profile: the tiers' accuracies.
        priorities: what a gain of each part is worth.
        sound: whether sound arrives.
        picture: whether pictures arrive.
    """
    accuracies = [profile.tiers[tier].accuracy for tier in TIERS]
    heard = priorities.sound if sound else 0.0
    worth = _worths(*accuracies, priorities.picture, heard)
    if picture:
        return worth
    _, seen, with_prefix, with_sound = worth
    return 0.0, 0.0, with_prefix - seen, with_sound - seen


@lru_cache(maxsize=64)
def _worths(
    critical: float, low: float, medium: float, high: float, picture: float, sound: float
) -> Worths:
    # The same in every poll.
    with_picture = critical + picture * max(0.0, low - critical)
    with_prefix = with_picture + sound * max(0.0, medium - low)
    with_sound = with_prefix + sound * max(0.0, high - max(low, medium))
    return critical, with_picture, with_prefix, with_sound


def ceiling(worth: Worths) -> Tier:
    """Return the cheapest tier that no other exceeds in worth: there is nothing to gain above."""
    return TIERS[worth.index(max(worth))]


def next_worthwhile(tier: Tier, worth: Worths) -> Tier | None:
    """Return the next higher tier that brings anything, or None."""
    present = worth[tier.rank]
    for rank in range(tier.rank + 1, len(worth)):
        if worth[rank] > present:
            return TIERS[rank]
    return None
