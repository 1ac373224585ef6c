from pathlib import Path

import pytest

from edge_daemon.governor.battery import BatteryProbe, Charge, list_batteries
from tests.governor.sysroot import board, copy_of, seconds, write

SUPPLY = "sys/class/power_supply"


def supply(name: str, /, **files: object) -> dict[str, str]:
    return {f"{SUPPLY}/{name}/{file}": f"{text}\n" for file, text in files.items()}


def battery(name: str = "BAT0", /, **files: object) -> dict[str, str]:
    return supply(name, type="Battery", **files)


def read(tmp_path: Path, *supplies: dict[str, str]) -> Charge | None:
    for files in supplies:
        write(tmp_path, files)
    return BatteryProbe(tmp_path).read(0)


def test_two_batteries_are_weighed_by_their_size() -> None:
    charge = BatteryProbe(board("laptop")).read(0)
    assert charge is not None
    assert charge.fraction == pytest.approx((0.78 * 23.27 + 0.25 * 47.92) / (23.27 + 47.92))
    assert charge.on_mains is False


def test_a_mouse_does_not_feed_the_board() -> None:
    assert [battery.name for battery in list_batteries(board("laptop"))] == ["BAT0", "BAT1"]


def test_a_fuel_gauge_of_any_name_counts_and_its_thermal_data_do_not(tmp_path: Path) -> None:
    mouse = battery("BAT9", scope="Device", capacity=3)
    charge = read(tmp_path, mouse, battery("max17040", capacity=64, status="Discharging"))
    assert charge == (0.64, False)


def test_no_battery_is_absent(tmp_path: Path) -> None:
    assert not BatteryProbe(board("rpi4")).present
    write(tmp_path, supply("AC", type="Mains", online=1))
    assert not BatteryProbe(tmp_path).present


@pytest.mark.parametrize(
    ("files", "fraction"),
    [
        ({"capacity": 0}, 0.0),
        ({"capacity": 100}, 1.0),
        ({"energy_now": 15_000_000, "energy_full": 50_000_000}, 0.3),
        ({"charge_now": 1_000_000, "charge_full": 4_000_000}, 0.25),
        ({"charge_now": 4_100_000, "charge_full": 4_000_000}, 1.0),
    ],
)
def test_the_fraction_from_what_the_driver_tells(
    tmp_path: Path, files: dict[str, int], fraction: float
) -> None:
    charge = read(tmp_path, battery(**files))
    assert charge is not None
    assert charge.fraction == pytest.approx(fraction)


@pytest.mark.parametrize(
    "files",
    [
        {"capacity": 255},
        {"capacity": -1},
        {"capacity": "full"},
        {"capacity": ""},
        {},
        {"energy_now": 5, "energy_full": 0},
        {"energy_now": -5, "energy_full": 100},
        {"energy_now": 5},
    ],
)
def test_what_is_no_charge_is_an_error(tmp_path: Path, files: dict[str, object]) -> None:
    write(tmp_path, battery(status="Discharging", **files))
    probe = BatteryProbe(tmp_path)
    assert probe.present
    with pytest.raises(ValueError, match="BAT0"):
        probe.read(0)


@pytest.mark.parametrize(
    ("status", "online", "on_mains"),
    [
        ("Charging", None, True),
        ("Full", None, True),
        ("Not charging", None, True),
        ("Discharging", None, False),
        ("Unknown", None, None),
        ("Unknown", 1, True),
        ("Unknown", 0, False),
        ("Full", 0, False),
        ("Not charging", 1, True),
        ("Charging", 2, True),
        ("Discharging", 1, False),  # the supply is too weak
    ],
)
def test_where_the_power_comes_from(
    tmp_path: Path, status: str, online: int | None, on_mains: bool | None
) -> None:
    supplies = [battery(status=status, capacity=50)]
    if online is not None:
        supplies.append(supply("USB", type="USB", online=online))
    assert read(tmp_path, *supplies) == (0.5, on_mains)


def test_one_supply_of_several_is_enough(tmp_path: Path) -> None:
    supplies = [supply("AC", type="Mains", online=1), supply("USB", type="USB", online=0)]
    charge = read(tmp_path, battery(capacity=50, status="Unknown"), *supplies)
    assert charge == (0.5, True)


def test_a_gauge_without_a_status(tmp_path: Path) -> None:
    assert read(tmp_path, battery("max17040", capacity=33)) == (0.33, None)


def test_a_battery_that_is_not_put_in_does_not_count(tmp_path: Path) -> None:
    empty = battery("BAT1", present=0, capacity=0)
    assert read(tmp_path, battery(present=1, capacity=40), empty) == (0.4, None)
    probe = BatteryProbe(write(tmp_path, battery(present=0)))
    assert not probe.present


def test_a_battery_taken_out_is_gone_and_comes_back(tmp_path: Path) -> None:
    probe = BatteryProbe(write(tmp_path, battery(present=1, capacity=40)))
    assert probe.read(0) == (0.4, None)
    write(tmp_path, battery(present=0, capacity=0))
    assert probe.read(seconds(5)) is None
    probe.scan()
    assert not probe.present
    write(tmp_path, battery(present=1, capacity=80))
    probe.scan()
    assert probe.read(seconds(70)) == (0.8, None)


def test_a_gauge_is_asked_every_five_seconds(tmp_path: Path) -> None:
    root = copy_of("laptop", tmp_path)
    probe = BatteryProbe(root)
    first = probe.read(0)
    write(root, supply("BAT1", energy_now=0))
    assert probe.read(seconds(4.9)) == first
    later = probe.read(seconds(5))
    assert first is not None
    assert later is not None
    assert later.fraction < first.fraction


def test_after_an_error_it_is_asked_again_at_once(tmp_path: Path) -> None:
    probe = BatteryProbe(write(tmp_path, battery(capacity=255)))
    with pytest.raises(ValueError, match="255"):
        probe.read(0)
    write(tmp_path, battery(capacity=25))
    assert probe.read(1) == (0.25, None)
