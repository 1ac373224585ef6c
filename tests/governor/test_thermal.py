import errno
from pathlib import Path

import pytest

from edge_daemon.governor.thermal import ThermalProbe, list_zones
from tests.governor.driver import Driver
from tests.governor.sysroot import board, copy_of, seconds, write

ZONE = "sys/class/thermal/thermal_zone"


def zone(number: int, kind: str, temp: object, **trips: int) -> dict[str, str]:
    base = f"{ZONE}{number}"
    files = {f"{base}/type": f"{kind}\n", f"{base}/temp": f"{temp}\n"}
    for index, (trip, value) in enumerate(trips.items()):
        files[f"{base}/trip_point_{index}_type"] = f"{trip}\n"
        files[f"{base}/trip_point_{index}_temp"] = f"{value}\n"
    return files


def probe_of(tmp_path: Path, *zones: dict[str, str]) -> ThermalProbe:
    for files in zones:
        write(tmp_path, files)
    return ThermalProbe(tmp_path)


def test_a_pi_has_its_firmwares_limit_and_the_device_trees_critical_trip() -> None:
    assert ThermalProbe(board("rpi4")).read(0) == (51.121, "cpu-thermal", 80.0, 110.0, None)


def test_the_trips_of_a_fan_are_no_limit() -> None:
    assert ThermalProbe(board("rpi5")).read(0).limit_c == 80.0


def test_the_passive_trip_is_the_limit() -> None:
    heat = ThermalProbe(board("jetson-orin")).read(0)
    assert heat == (49.531, "cpu-thermal", 99.0, 104.5, None)


def test_zones_that_are_off_are_left_out() -> None:
    types = [zone.type for zone in list_zones(board("jetson-orin"))]
    assert types == [f"{name}-thermal" for name in ("cpu", "gpu", "soc0", "soc1", "soc2", "tj")]


def test_the_pmic_of_a_jetson_always_says_100_and_is_left_out() -> None:
    heat = ThermalProbe(board("jetson-nano")).read(0)
    assert heat == (41.5, "AO-therm", 97.0, 102.5, None)


def test_batteries_radios_and_test_zones_are_left_out(tmp_path: Path) -> None:
    types = [zone.type for zone in list_zones(board("laptop"))]
    assert types == ["acpitz", "x86_pkg_temp"]
    supply = {"sys/class/power_supply/max17042/type": "Battery"}
    probe = probe_of(tmp_path, supply, zone(0, "max17042", 99), zone(1, "test_zone", 2600))
    assert not probe.present


def test_a_zone_without_trips_takes_the_limit_of_another(tmp_path: Path) -> None:
    probe = probe_of(
        tmp_path, zone(0, "cpu-thermal", 60_000, passive=95_000), zone(1, "fan-est", 61_000)
    )
    assert probe.read(0) == (61.0, "fan-est", 95.0, None, None)


@pytest.mark.parametrize(
    ("trips", "limit_c"),
    [
        ({}, 80.0),
        ({"critical": 105_000}, 95.0),
        ({"passive": 0, "critical": -274_000}, 80.0),
        ({"passive": 85}, 85.0),
        ({"hot": 60_000, "active": 50_000}, 80.0),
    ],
)
def test_the_limit_where_there_is_no_firmware(
    tmp_path: Path, trips: dict[str, int], limit_c: float
) -> None:
    assert probe_of(tmp_path, zone(0, "soc", 50_000, **trips)).read(0).limit_c == limit_c


def test_the_zone_nearest_to_its_limit_counts_and_not_the_hottest(tmp_path: Path) -> None:
    probe = probe_of(
        tmp_path,
        zone(0, "gpu", 70_000, passive=100_000),
        zone(1, "ddr", 60_000, passive=70_000),
    )
    assert probe.read(0).zone == "ddr"


@pytest.mark.parametrize("temp", [-650788984, 0, 150_001, -40_001, "", "nan", "hot", 2**70])
def test_what_is_no_temperature_is_an_error_and_never_a_value(tmp_path: Path, temp: object) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", temp))
    assert probe.present
    with pytest.raises(ValueError, match="thermal_zone0/temp"):
        probe.read(0)


@pytest.mark.parametrize("temp", [100_000, 125_000])
def test_a_parked_sensor_does_not_count_until_it_moves(tmp_path: Path, temp: int) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000), zone(1, "gpu-thermal", temp))
    assert probe.read(0)[:2] == (50.0, "cpu-thermal")
    write(tmp_path, zone(1, "gpu-thermal", temp - 9_500))
    assert probe.read(seconds(1))[:2] == (temp / 1000 - 9.5, "gpu-thermal")
    write(tmp_path, zone(1, "gpu-thermal", temp))  # it lives: this is its temperature now
    assert probe.read(seconds(2))[:2] == (temp / 1000, "gpu-thermal")


def test_parked_sensors_alone_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cpu-thermal: exactly 100 or 125"):
        probe_of(tmp_path, zone(0, "cpu-thermal", 100_000)).read(0)


def test_no_zones_are_absent(tmp_path: Path) -> None:
    assert not ThermalProbe(tmp_path).present


def test_forty_zones(tmp_path: Path) -> None:
    zones = [zone(number, f"zone{number}", 40_000 + number) for number in range(40)]
    assert probe_of(tmp_path, *zones).read(0).zone == "zone39"
    assert [zone.type for zone in list_zones(tmp_path)] == [f"zone{n}" for n in range(40)]


def test_a_zone_that_never_worked_is_taken_for_switched_off(tmp_path: Path) -> None:
    write(tmp_path, {f"{ZONE}1/type": "npu\n", f"{ZONE}1/temp/offline": ""})
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000))
    assert probe.read(0).zone == "cpu-thermal"
    assert probe.read(0).lost is None


def test_a_zone_that_is_off_is_asked_again_at_the_next_scan(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000), zone(1, "npu", "off"))
    assert probe.read(0).zone == "cpu-thermal"
    write(tmp_path, zone(1, "npu", 60_000))
    assert probe.read(0).zone == "cpu-thermal"
    probe.scan()
    assert probe.read(0).zone == "npu"


def test_a_zone_that_fails_counts_for_five_seconds_more_and_is_lost(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000), zone(1, "gpu-thermal", 70_000))
    assert probe.read(seconds(1)).zone == "gpu-thermal"
    write(tmp_path, {f"{ZONE}1/temp": "garbage"})
    held = probe.read(seconds(6))
    assert held[:2] == (70.0, "gpu-thermal")
    assert held.lost is not None
    assert "gpu-thermal: " in held.lost
    lost = probe.read(seconds(6.1))
    assert lost[:2] == (50.0, "cpu-thermal")
    assert lost.lost is not None
    write(tmp_path, zone(1, "gpu-thermal", 60_000))
    assert probe.read(seconds(7)) == (60.0, "gpu-thermal", 80.0, None, None)


def test_all_zones_that_are_lost_are_named(tmp_path: Path) -> None:
    probe = probe_of(
        tmp_path, *(zone(n, f"zone{n}", 50_000 + n) for n in range(3)), zone(3, "good", 40_000)
    )
    probe.read(0)
    for number in range(3):
        write(tmp_path, {f"{ZONE}{number}/temp": "0"})
    lost = probe.read(seconds(1)).lost
    assert lost is not None
    assert [part.partition(":")[0] for part in lost.split("; ")] == ["zone0", "zone1", "zone2"]


def test_eagain_is_a_part_without_power_and_not_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000), zone(1, "gpu-thermal", 70_000))
    assert probe.read(0).zone == "gpu-thermal"
    driver = Driver(monkeypatch)
    driver.fail("thermal_zone1/temp", errno.EAGAIN)
    assert probe.read(seconds(5)) == (70.0, "gpu-thermal", 80.0, None, None)  # as its last value
    assert probe.read(seconds(6)) == (50.0, "cpu-thermal", 80.0, None, None)
    driver.heal()
    assert probe.read(seconds(7)).zone == "gpu-thermal"


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL, errno.ENODATA])
def test_any_other_error_is_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000), zone(1, "gpu-thermal", 70_000))
    probe.read(0)
    Driver(monkeypatch).fail("thermal_zone1/temp", number)
    heat = probe.read(seconds(6))
    assert heat.zone == "cpu-thermal"
    assert heat.lost is not None
    assert heat.lost.startswith("gpu-thermal: ")


def test_eagain_of_all_zones_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000))
    probe.read(0)
    Driver(monkeypatch).fail("thermal_zone0/temp", errno.EAGAIN)
    with pytest.raises(BlockingIOError, match="thermal_zone0/temp"):
        probe.read(seconds(6))


def test_zones_that_change_their_numbers_are_known_by_type(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50), zone(1, "gpu-thermal", 70_000))
    probe.read(0)
    write(tmp_path, zone(1, "cpu-thermal", 52))
    write(tmp_path, zone(0, "gpu-thermal", 71_000))
    probe.scan()
    assert probe.read(seconds(1))[:2] == (71.0, "gpu-thermal")
    write(tmp_path, zone(0, "gpu-thermal", 1_000))  # still in millidegrees
    assert probe.read(seconds(9))[:2] == (52.0, "cpu-thermal")


def test_zones_are_looked_for_at_once_after_enodev(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000), zone(1, "gpu-thermal", 45_000))
    probe.read(0)
    driver = Driver(monkeypatch)
    driver.fail("/temp", errno.ENODEV)
    write(tmp_path, zone(0, "gpu-thermal", 46_000))
    write(tmp_path, zone(1, "cpu-thermal", 51_000))
    held = probe.read(seconds(1))
    assert held[:2] == (50.0, "cpu-thermal")
    assert held.lost is not None
    driver.heal()
    assert probe.read(seconds(2)) == (51.0, "cpu-thermal", 80.0, None, None)


def test_a_zone_that_went_is_not_mistaken_for_the_one_that_has_its_number_now(
    tmp_path: Path,
) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 70_000), zone(1, "gpu-thermal", 45_000))
    probe.read(0)
    write(tmp_path, zone(0, "gpu-thermal", 46_000))
    for file in (tmp_path / f"{ZONE}1").iterdir():
        file.unlink()
    probe.scan()
    heat = probe.read(seconds(6))
    assert heat[:2] == (46.0, "gpu-thermal")
    assert heat.lost is not None
    assert heat.lost.startswith("cpu-thermal: ")
    assert probe.read(seconds(7)).lost == heat.lost


def test_zones_that_stay_away_are_not_looked_for_at_each_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = probe_of(
        tmp_path, zone(0, "cpu-thermal", 40_000), zone(1, "gpu-thermal", 45_000), zone(2, "npu", 1)
    )
    driver = Driver(monkeypatch)
    driver.fail("thermal_zone2/temp", errno.ENODEV)
    probe.read(0)
    driver.fail("thermal_zone1/temp", errno.ENODEV)
    (tmp_path / f"{ZONE}1/type").unlink()
    for at_s in (1, 2, 3):
        probe.read(seconds(at_s))
    write(tmp_path, zone(5, "late-thermal", 60_000))
    assert probe.read(seconds(4)).zone != "late-thermal"
    assert probe.read(seconds(5)).zone != "late-thermal"
    probe.scan()
    assert probe.read(seconds(6)).zone == "late-thermal"


def test_a_zone_that_goes_away_is_lost_and_not_absent(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000))
    probe.read(0)
    for file in (tmp_path / f"{ZONE}0").iterdir():
        file.unlink()
    probe.scan()
    assert probe.present
    with pytest.raises(OSError, match="thermal_zone0/temp"):
        probe.read(seconds(60))
    write(tmp_path, zone(5, "cpu-thermal", 51_000))
    probe.scan()
    assert probe.read(seconds(120))[:2] == (51.0, "cpu-thermal")


def test_a_known_zone_whose_type_cannot_be_read_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50_000))
    probe.read(0)
    Driver(monkeypatch).fail("thermal_zone0/type", errno.EIO)
    probe.scan()
    assert probe.read(seconds(6)) == (50.0, "cpu-thermal", 80.0, None, None)


def test_trip_points_that_change_while_it_runs_are_followed(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "soc", 50_000, passive=95_000, critical=105_000))
    assert probe.read(0)[2:4] == (95.0, 105.0)
    write(tmp_path, zone(0, "soc", 50_000, passive=70_000, critical=-274_000))
    probe.scan()
    assert probe.read(seconds(1))[2:4] == (70.0, None)


def test_trip_points_that_cannot_be_read_stay_as_they_were(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "soc", 50_000, passive=85_000, critical=105_000))
    write(tmp_path, {f"{ZONE}0/trip_point_0_temp": ""})
    probe.scan()
    assert probe.read(0)[2:4] == (85.0, 105.0)


def test_a_trip_points_hysteresis_is_no_limit(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "soc", 50_000, passive=95_000))
    write(tmp_path, {f"{ZONE}0/trip_point_0_hyst": "45000\n"})
    probe.scan()
    assert probe.read(0).limit_c == 95.0


def test_the_lowest_of_several_passive_trips_is_the_limit(tmp_path: Path) -> None:
    files = zone(0, "soc", 50_000, passive=95_000)
    for index, value in enumerate((85_000, 90_000), start=1):
        files[f"{ZONE}0/trip_point_{index}_type"] = "passive\n"
        files[f"{ZONE}0/trip_point_{index}_temp"] = f"{value}\n"
    assert probe_of(tmp_path, files).read(0).limit_c == 85.0


def test_zones_of_one_type_are_told_apart(tmp_path: Path) -> None:
    zones = [zone(n, "x86_pkg_temp", 40_000 + n) for n in range(2)]
    assert probe_of(tmp_path, *zones).read(0).zone == "x86_pkg_temp#2"


def test_a_zone_can_be_left_out_by_type() -> None:
    assert not ThermalProbe(board("rpi4"), lambda: frozenset({"cpu-thermal"})).present


def test_nothing_stays_open(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    left_out: set[str] = set()
    probe = ThermalProbe(root, lambda: frozenset(left_out))
    for _ in range(3):
        probe.read(0)
        probe.scan()
    kept = len(list(descriptors.iterdir()))
    left_out.add("cpu-thermal")
    probe.scan()
    assert len(list(descriptors.iterdir())) == kept - 1
    probe.close()
    assert len(list(descriptors.iterdir())) == before
