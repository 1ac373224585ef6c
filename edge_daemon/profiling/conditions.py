"""Whether the board is in a state in which what is measured says something."""

from collections.abc import Iterator

from edge_daemon.governor.reading import Reading

BUSY = 0.20
LOW_CHARGE = 0.20
NEAR_C = 3.0


def unfit(reading: Reading) -> Iterator[str]:
    """Yield what would spoil the figures, with what to do about it; nothing on a quiet board.

    Args:
        reading: its load is that of the time that is judged.
    """
    foreign = reading.cpu_foreign
    if foreign is not None and foreign > BUSY:
        yield (
            f"other programs keep {foreign:.0%} of the cores busy, more than {BUSY:.0%}: end "
            "them, or measure at a quieter time"
        )
    if reading.throttled:
        yield (
            f"the firmware slows the board ({', '.join(reading.throttled)}): "
            "`edge-daemon doctor` says what helps"
        )
    temperature_c, limit_c = reading.temperature_c, reading.temperature_limit_c
    if temperature_c is not None and limit_c is not None and temperature_c > limit_c - NEAR_C:
        yield (
            f"{reading.temperature_zone} is at {temperature_c:.1f} °C, and at {limit_c:.1f} °C the "
            "board slows down: let it cool"
        )
    charge = reading.battery_fraction
    if charge is not None and charge < LOW_CHARGE and reading.on_mains is not True:
        yield f"the battery is at {charge:.0%}, where many boards save power: charge it"
