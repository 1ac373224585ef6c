"""Margins of the published table: what is measured now against each tier's band."""

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.pressure import pressures
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS

_QUANTITIES = {
    "cpu": "foreign_load",
    "memory": "available_memory",
    "temperature": "thermal_distance",
    "battery": "charge",
}


def table_margins(
    reading: Reading, limits: Limits, resources: tuple[str, ...] = tuple(_QUANTITIES)
) -> list[Margin]:
    """Return a margin for every known resource and every tier but `critical`.

    Args:
        reading: what the probes saw.
        limits: holds the bands.
        resources: which of them to look at.
    """
    return [
        Margin(tier, _QUANTITIES[pressure.resource], pressure.value, band.enter, band.leave)
        for pressure in pressures(reading, limits)
        if pressure.resource in resources
        for tier, band in zip(TIERS[1:], pressure.bands, strict=True)
    ]
