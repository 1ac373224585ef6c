import pytest
from msgspec.structs import replace

from edge_daemon.governor.reading import Reading
from edge_daemon.profiling.conditions import unfit

QUIET = Reading(
    time_ns=1,
    cpu_foreign=0.2,
    temperature_c=77.0,
    temperature_zone="cpu-thermal",
    temperature_limit_c=80.0,
    battery_fraction=0.2,
    on_mains=False,
)


def test_a_quiet_board_is_fit_and_so_is_one_that_tells_nothing() -> None:
    assert list(unfit(QUIET)) == []
    assert list(unfit(Reading(time_ns=1))) == []


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (replace(QUIET, cpu_foreign=0.21), "other programs keep 21% of the cores busy"),
        (replace(QUIET, throttled=("under-voltage",)), "slows the board (under-voltage)"),
        (replace(QUIET, temperature_c=77.1), "cpu-thermal is at 77.1 °C, and at 80.0 °C"),
        (replace(QUIET, battery_fraction=0.19), "the battery is at 19%"),
        (replace(QUIET, battery_fraction=0.19, on_mains=None), "the battery is at 19%"),
    ],
)
def test_what_would_spoil_the_figures_is_told(reading: Reading, says: str) -> None:
    (said,) = unfit(reading)
    assert says in said


def test_a_flat_battery_on_the_mains_is_no_matter() -> None:
    assert list(unfit(replace(QUIET, battery_fraction=0.0, on_mains=True))) == []
