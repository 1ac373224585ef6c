"""Draws headrooms for training: those in which the daemon would run a tier."""

import math

import torch

from edge_daemon.governor.headroom import Headroom, room
from edge_daemon.tier import Tier

_COUNT = len(Headroom.__struct_fields__)


def draw_headroom(tier: Tier, generator: torch.Generator) -> Headroom:
    """Return a headroom whose tier is `tier`.

    One resource binds, each as often as the others; it lies anywhere in the tier's room (at 0 for
    `critical`), and the other three anywhere between it and 1.

    Args:
        tier: that it belongs to.
        generator: on the CPU; the same seed gives the same draws.
    """
    binding = int(torch.randint(_COUNT, (), generator=generator))
    shares = torch.rand(_COUNT, generator=generator, dtype=torch.float64).tolist()
    low, high = room(tier)
    # A share is below 1 but may be 0, while a room holds its upper end and not its lower one.
    least = high - shares[binding] * (high - low)
    if tier is not Tier.CRITICAL:
        least = max(least, math.nextafter(low, 1.0))
    values = [least + share * (1.0 - least) for share in shares]
    values[binding] = least
    return Headroom(*values)
