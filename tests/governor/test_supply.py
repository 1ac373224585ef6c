from pathlib import Path

import pytest

from edge_daemon.governor.supply import Battery, list_batteries, list_mains
from tests.governor.sysroot import board, write


def battery(tmp_path: Path, **files: object) -> Battery:
    write(tmp_path, {f"BAT0/{name}": f"{text}\n" for name, text in files.items()})
    return Battery(tmp_path / "BAT0")


def test_a_mouse_does_not_feed_the_board() -> None:
    assert [battery.name for battery in list_batteries(board("laptop"))] == ["BAT0", "BAT1"]
    assert [battery.name for battery in list_batteries(board("ups"))] == ["max17040"]


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("Mains", True),
        ("USB", True),
        ("USB_DCP", True),
        ("Wireless", True),
        ("Battery", False),
        ("Unknown", False),
    ],
)
def test_what_may_feed_the_board_from_outside(tmp_path: Path, kind: str, counts: bool) -> None:
    base = "sys/class/power_supply/axp"
    write(tmp_path, {f"{base}/type": f"{kind}\n", f"{base}/online": "1\n"})
    assert [mains.online() for mains in list_mains(tmp_path)] == [True] * counts


def test_a_supply_that_does_not_say_whether_it_is_online_tells_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"sys/class/power_supply/AC/type": "Mains\n"})
    assert list_mains(tmp_path) == []


def test_a_supply_that_cannot_be_read_is_unknown_and_not_offline(tmp_path: Path) -> None:
    base = "sys/class/power_supply/AC"
    write(tmp_path, {f"{base}/type": "Mains\n", f"{base}/online": "yes\n"})
    assert [mains.online() for mains in list_mains(tmp_path)] == [None]


@pytest.mark.parametrize(
    ("files", "fraction"),
    [
        ({"capacity": 0}, 0.0),
        ({"capacity": 73}, 0.73),
        ({"capacity": 100}, 1.0),
        ({"energy_now": 15_000_000, "energy_full": 50_000_000}, 0.3),
        ({"charge_now": 1_000_000, "charge_full": 4_000_000}, 0.25),
        ({"charge_now": 4_100_000, "charge_full": 4_000_000}, 1.0),
        ({"capacity_level": "Critical"}, 0.05),
        ({"capacity_level": "Normal"}, 0.5),
    ],
)
def test_the_fraction_from_what_the_driver_tells(
    tmp_path: Path, files: dict[str, object], fraction: float
) -> None:
    assert battery(tmp_path, **files).fraction() == pytest.approx(fraction)


def test_the_percentage_counts_before_the_energy(tmp_path: Path) -> None:
    files = {"capacity": 60, "energy_now": 20_000_000, "energy_full": 50_000_000}
    assert battery(tmp_path, **files).fraction() == 0.6


@pytest.mark.parametrize("capacity", [0, 255, -1, "", "full"])
def test_a_percentage_that_is_none_gives_way_to_the_energy(
    tmp_path: Path, capacity: object
) -> None:
    files = {"capacity": capacity, "energy_now": 40_000_000, "energy_full": 50_000_000}
    assert battery(tmp_path, **files).fraction() == 0.8


def test_an_empty_battery_is_empty(tmp_path: Path) -> None:
    files = {"capacity": 0, "energy_now": 0, "energy_full": 50_000_000, "capacity_level": "Full"}
    assert battery(tmp_path, **files).fraction() == 0.0


@pytest.mark.parametrize(
    "files",
    [
        {"capacity": 255},
        {"capacity": -1},
        {"capacity": "full"},
        {"capacity": ""},
        {"capacity": 255, "capacity_level": "Full"},
        {"capacity_level": "Unknown"},
        {},
        {"energy_now": 5, "energy_full": 0},
        {"energy_now": -5, "energy_full": 100},
        {"energy_now": 5},
    ],
)
def test_what_is_no_charge_is_an_error_that_names_the_battery(
    tmp_path: Path, files: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="BAT0"):
        battery(tmp_path, **files).read()


def test_energy_and_power_as_they_are(tmp_path: Path) -> None:
    store = battery(
        tmp_path,
        status="Discharging",
        capacity=50,
        energy_now=24_000_000,
        energy_full=50_000_000,
        power_now=6_500_000,
    ).read()
    assert store == (0.5, "Discharging", 24.0, 50.0, 6.5, None)


def test_a_charge_counts_at_the_design_voltage_and_a_current_at_the_present_one(
    tmp_path: Path,
) -> None:
    store = battery(
        tmp_path,
        capacity=50,
        charge_now=2_000_000,
        charge_full=4_000_000,
        voltage_min_design=3_700_000,
        voltage_now=4_000_000,
        current_now=-1_500_000,
    ).read()
    assert store.energy_wh == pytest.approx(7.4)
    assert store.full_wh == pytest.approx(14.8)
    assert store.power_w == pytest.approx(6.0)


def test_without_a_design_voltage_the_present_one_counts(tmp_path: Path) -> None:
    store = battery(tmp_path, charge_now=1_000_000, charge_full=4_000_000, voltage_now=4_000_000)
    assert store.read().energy_wh == pytest.approx(4.0)


def test_the_energy_left_from_the_percentage_and_the_size(tmp_path: Path) -> None:
    assert battery(tmp_path, capacity=25, energy_full=40_000_000).read().energy_wh == 10.0


@pytest.mark.parametrize(
    ("files", "power_w"),
    [
        ({"power_now": 4_000_000}, 4.0),
        ({"power_now": -4_000_000}, 4.0),
        ({"power_now": 0, "current_now": 500_000, "voltage_now": 4_000_000}, 2.0),
        ({"power_now": "garbage", "current_now": -500_000, "voltage_now": 4_000_000}, 2.0),
        ({"power_now": 0}, None),
        ({"current_now": 500_000}, None),
        ({"current_now": 500, "voltage_now": 4_000_000}, None),  # mA in the place of µA
        ({"current_now": 500_000, "voltage_now": 4_000}, None),  # mV in the place of µV
        ({"power_now": 2**60}, None),
        ({}, None),
    ],
)
def test_the_power_whatever_its_sign_and_none_where_it_is_not_measured(
    tmp_path: Path, files: dict[str, object], power_w: float | None
) -> None:
    assert battery(tmp_path, capacity=50, **files).read().power_w == power_w


@pytest.mark.parametrize(
    ("files", "runtime_s"),
    [
        ({"time_to_empty_avg": 7200}, 7200),
        ({"time_to_empty_avg": 0, "time_to_empty_now": 3600}, 3600),
        ({"time_to_empty_now": 65535 * 60}, None),  # a gauge's word for "never"
        ({"time_to_empty_now": -1}, None),
    ],
)
def test_the_drivers_own_count_of_the_time_left(
    tmp_path: Path, files: dict[str, object], runtime_s: float | None
) -> None:
    assert battery(tmp_path, capacity=50, **files).read().runtime_s == runtime_s


def test_a_status_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    assert battery(tmp_path, capacity=50, status="").read().status == "Unknown"


@pytest.mark.parametrize(("present", "put_in"), [("1", True), ("0", False), ("", True)])
def test_only_a_battery_that_says_so_is_not_put_in(
    tmp_path: Path, present: str, put_in: bool
) -> None:
    assert battery(tmp_path, capacity=50, present=present).put_in() is put_in
