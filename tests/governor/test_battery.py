import shutil
from pathlib import Path

import pytest

from edge_daemon.governor.battery import BatteryProbe, Charge
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


def charge_of(tmp_path: Path, *supplies: dict[str, str]) -> Charge:
    charge = read(tmp_path, *supplies)
    assert charge is not None
    return charge


DRAIN = {"status": "Discharging", "energy_full": 50_000_000}


def test_two_batteries_are_weighed_by_their_size() -> None:
    charge = BatteryProbe(board("laptop")).read(0)
    assert charge is not None
    assert charge.fraction == pytest.approx((0.78 * 23.27 + 0.25 * 47.92) / (23.27 + 47.92))
    assert charge.on_mains is False


def test_batteries_in_charge_units_are_weighed_by_charge_times_voltage(tmp_path: Path) -> None:
    small = battery(
        "BAT0", capacity=100, charge_full=1_000_000, voltage_min_design=5_000_000, charge_now=1
    )
    large = battery("BAT1", capacity=0, energy_full=15_000_000)
    assert charge_of(tmp_path, small, large).fraction == 0.25


def test_batteries_of_which_one_tells_no_size_count_alike(tmp_path: Path) -> None:
    small = battery("BAT0", capacity=100, energy_full=1_000_000)
    assert charge_of(tmp_path, small, battery("BAT1", capacity=50)).fraction == 0.75


def test_a_fuel_gauge_of_any_name_counts_and_a_mouse_does_not(tmp_path: Path) -> None:
    mouse = battery("BAT9", scope="Device", capacity=3)
    charge = read(tmp_path, mouse, battery("max17040", capacity=64, status="Discharging"))
    assert charge == Charge(0.64, False)


def test_no_battery_is_absent(tmp_path: Path) -> None:
    assert not BatteryProbe(board("rpi4")).present
    write(tmp_path, supply("AC", type="Mains", online=1))
    assert not BatteryProbe(tmp_path).present


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
        ("Charging", 0, True),  # by something that is no supply of the kernel's
        ("Charging", 2, True),
        ("Discharging", 1, False),  # the supply is too weak
        ("Unknown", "garbage", None),
        ("Full", "garbage", True),
    ],
)
def test_where_the_power_comes_from(
    tmp_path: Path, status: str, online: object, on_mains: bool | None
) -> None:
    supplies = [battery(status=status, capacity=50)]
    if online is not None:
        supplies.append(supply("USB", type="USB", online=online))
    assert read(tmp_path, *supplies) == Charge(0.5, on_mains)


def test_one_supply_of_several_is_enough(tmp_path: Path) -> None:
    supplies = [supply("AC", type="Mains", online=0), supply("USB", type="USB", online=1)]
    charge = charge_of(tmp_path, battery(capacity=50, status="Unknown"), *supplies)
    assert charge.on_mains is True


def test_a_gauge_without_a_status(tmp_path: Path) -> None:
    assert read(tmp_path, battery("max17040", capacity=33)) == Charge(0.33, None)


def test_the_runtime_is_energy_over_power(tmp_path: Path) -> None:
    files = battery(energy_now=20_000_000, power_now=5_000_000, **DRAIN)
    assert read(tmp_path, files) == Charge(0.4, False, 20.0, 5.0, 4 * 3600.0)


def test_the_runtime_follows_a_noisy_power_slowly_and_the_power_at_once(tmp_path: Path) -> None:
    write(tmp_path, battery(energy_now=20_000_000, power_now=5_000_000, **DRAIN))
    probe = BatteryProbe(tmp_path)
    for n in range(120):
        probe.read(seconds(5 * n))
    write(tmp_path, supply("BAT0", power_now=20_000_000))
    charge = probe.read(seconds(600))
    assert charge is not None
    assert charge.power_w == 20.0
    assert charge.runtime_s is not None
    assert 3 * 3600 < charge.runtime_s < 4 * 3600


def test_two_batteries_give_together_and_last_together(tmp_path: Path) -> None:
    first = battery("BAT0", energy_now=10_000_000, power_now=3_000_000, **DRAIN)
    second = battery("BAT1", energy_now=30_000_000, power_now=2_000_000, **DRAIN)
    charge = charge_of(tmp_path, first, second)
    assert charge == Charge(0.4, False, 40.0, 5.0, 8 * 3600.0)


def test_a_battery_that_rests_beside_one_that_gives_adds_no_power(tmp_path: Path) -> None:
    rests = {"status": "Not charging", "energy_full": 50_000_000, "power_now": 0}
    first = battery("BAT0", energy_now=30_000_000, **rests)
    charge = charge_of(tmp_path, first, battery("BAT1", energy_now=0, power_now=5_000_000, **DRAIN))
    assert (charge.power_w, charge.runtime_s) == (5.0, 6 * 3600.0)


def test_power_of_which_a_part_is_unknown_is_unknown(tmp_path: Path) -> None:
    first = battery("BAT0", energy_now=10_000_000, **DRAIN)
    charge = charge_of(tmp_path, first, battery("BAT1", energy_now=0, power_now=5_000_000, **DRAIN))
    assert (charge.power_w, charge.runtime_s) == (None, None)


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "Unknown"])
def test_what_flows_into_a_battery_is_not_what_it_gives(tmp_path: Path, status: str) -> None:
    files = battery(capacity=50, energy_full=50_000_000, status=status, power_now=5_000_000)
    charge = charge_of(tmp_path, files)
    assert (charge.energy_wh, charge.power_w, charge.runtime_s) == (25.0, None, None)


def test_off_the_mains_an_unknown_status_gives(tmp_path: Path) -> None:
    files = battery(capacity=50, energy_full=50_000_000, status="Unknown", power_now=-5_000_000)
    charge = charge_of(tmp_path, files, supply("AC", type="Mains", online=0))
    assert (charge.power_w, charge.runtime_s) == (5.0, 5 * 3600.0)


def test_without_a_power_the_gauges_own_count_of_the_time_is_taken(tmp_path: Path) -> None:
    files = battery(capacity=50, status="Discharging", time_to_empty_avg=5400, power_now=0)
    assert read(tmp_path, files) == Charge(0.5, False, None, None, 5400.0)
    write(tmp_path, supply("BAT0", status="Charging"))
    assert charge_of(tmp_path).runtime_s is None


def test_the_mean_power_begins_anew_after_the_mains(tmp_path: Path) -> None:
    write(tmp_path, battery(energy_now=20_000_000, power_now=20_000_000, **DRAIN))
    probe = BatteryProbe(tmp_path)
    probe.read(0)
    write(tmp_path, supply("BAT0", status="Charging"))
    probe.read(seconds(5))
    write(tmp_path, supply("BAT0", status="Discharging", power_now=5_000_000))
    charge = probe.read(seconds(10))
    assert charge is not None
    assert charge.runtime_s == 4 * 3600.0


def test_a_battery_that_is_not_put_in_does_not_count(tmp_path: Path) -> None:
    empty = battery("BAT1", present=0, capacity=0)
    assert read(tmp_path, battery(present=1, capacity=40), empty) == Charge(0.4, None)
    probe = BatteryProbe(write(tmp_path, battery(present=0)))
    assert not probe.present


def test_a_battery_taken_out_is_gone_and_comes_back(tmp_path: Path) -> None:
    probe = BatteryProbe(write(tmp_path, battery(present=1, capacity=40)))
    assert probe.read(0) == Charge(0.4, None)
    write(tmp_path, battery(present=0, capacity=0))
    assert probe.read(seconds(5)) is None
    probe.scan()
    assert not probe.present
    write(tmp_path, battery(present=1, capacity=80))
    probe.scan()
    assert probe.read(seconds(70)) == Charge(0.8, None)


def test_a_battery_unplugged_on_the_mains_is_gone(tmp_path: Path) -> None:
    write(tmp_path, supply("AC", type="Mains", online=1))
    probe = BatteryProbe(write(tmp_path, battery(capacity=40)))
    shutil.rmtree(tmp_path / SUPPLY / "BAT0")
    with pytest.raises(OSError, match="BAT0/capacity"):
        probe.read(0)
    probe.scan()
    assert not probe.present


def test_one_of_two_batteries_unplugged_is_gone(tmp_path: Path) -> None:
    write(tmp_path, battery("BAT1", capacity=40, status="Discharging"))
    probe = BatteryProbe(write(tmp_path, battery(capacity=80)))
    shutil.rmtree(tmp_path / SUPPLY / "BAT0")
    probe.scan()
    assert probe.read(0) == Charge(0.4, False)


def test_the_only_gauge_that_vanishes_off_the_mains_is_lost_until_it_comes_back(
    tmp_path: Path,
) -> None:
    write(tmp_path, supply("AC", type="Mains", online=0))
    probe = BatteryProbe(write(tmp_path, battery("max17040", capacity=40)))
    shutil.rmtree(tmp_path / SUPPLY / "max17040")
    for _ in range(2):
        probe.scan()
        assert probe.present
        with pytest.raises(ValueError, match="max17040: the battery vanished"):
            probe.read(0)
    write(tmp_path, battery("max17040", capacity=39))
    probe.scan()
    assert probe.read(0) == Charge(0.39, False)


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
    assert probe.read(1) == Charge(0.25, None)


def test_nothing_stays_open(tmp_path: Path) -> None:
    root = copy_of("laptop", tmp_path)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    probe = BatteryProbe(root)
    for n in range(3):
        probe.read(seconds(10 * n))
        probe.scan()
    probe.close()
    assert len(list(descriptors.iterdir())) == before
