"""Margins of the published table: what is measured now against a tier's band."""

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.pressure import pressures
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

_QUANTITIES = {
    "cpu": "foreign_load",
    "memory": "available_memory",
    "temperature": "thermal_distance",
    "battery": "charge",
}


def table_margins(
    tier: Tier, reading: Reading, limits: Limits, resources: tuple[str, ...] = tuple(_QUANTITIES)
) -> list[Margin]:
    """Return a tier's margin for every known resource; none for `critical`, which asks for nothing.

    Args:
        tier: whose margins.
        reading: what the probes saw.
        limits: holds the bands.
        resources: which of them to look at.
    """
    if tier is Tier.CRITICAL:
        return []
    return [
        Margin(tier, _QUANTITIES[pressure.resource], pressure.value, *pressure.bands[tier.rank - 1])
        for pressure in pressures(reading, limits)
        if pressure.resource in resources
    ]
