"""Margins of the published table: what is measured now against a tier's band."""

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.pressure import Pressure, pressures
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

_QUANTITIES = {
    "cpu": "foreign_load",
    "memory": "available_memory",
    "temperature": "thermal_distance",
    "battery": "charge",
}


def table_margins(tier: Tier, reading: Reading, limits: Limits) -> list[Margin]:
    """Return a tier's margin for every known resource; none for `critical`, which asks for nothing.

    Args:
        tier: whose margins.
        reading: what the probes saw.
        limits: holds the bands.
    """
    if tier is Tier.CRITICAL:
        return []
    return [table_margin(tier, pressure) for pressure in pressures(reading, limits)]


def table_margin(tier: Tier, pressure: Pressure) -> Margin:
    """Return the margin of one resource for any tier but `critical`."""
    band = pressure.bands[tier.rank - 1]
    return Margin(tier, _QUANTITIES[pressure.resource], pressure.value, band.enter, band.leave)
