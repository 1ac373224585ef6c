from pathlib import Path

import pytest

from edge_daemon.governor.thermal import ThermalProbe, list_zones
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
    assert ThermalProbe(board("rpi4")).read(0) == (51.121, "cpu-thermal", 80.0, 110.0)


def test_the_trips_of_a_fan_are_no_limit() -> None:
    assert ThermalProbe(board("rpi5")).read(0).limit_c == 80.0


def test_the_passive_trip_is_the_limit() -> None:
    heat = ThermalProbe(board("jetson-orin")).read(0)
    assert heat == (49.531, "cpu-thermal", 99.0, 104.5)


def test_zones_that_are_off_are_left_out() -> None:
    types = [zone.type for zone in list_zones(board("jetson-orin"))]
    assert types == [f"{name}-thermal" for name in ("cpu", "gpu", "soc0", "soc1", "soc2", "tj")]


def test_the_pmic_of_a_jetson_always_says_100_and_is_left_out() -> None:
    heat = ThermalProbe(board("jetson-nano")).read(0)
    assert heat == (41.5, "AO-therm", 97.0, 102.5)


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
    assert probe.read(0) == (61.0, "fan-est", 95.0, None)


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


def test_degrees_and_millidegrees_are_told_apart_for_each_zone(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "degrees", 48), zone(1, "milli", 47_000))
    assert probe.read(0)[:2] == (48.0, "degrees")
    write(tmp_path, zone(0, "degrees", 30))
    assert probe.read(0)[:2] == (47.0, "milli")
    write(tmp_path, zone(1, "milli", 150))  # 0.15 °C in the cold, and not 150 °C
    assert probe.read(0)[:2] == (30.0, "degrees")


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
    write(tmp_path, zone(1, "gpu-thermal", 70_500))
    assert probe.read(0)[:2] == (70.5, "gpu-thermal")
    write(tmp_path, zone(1, "gpu-thermal", temp))  # it lives: this is its temperature now
    assert probe.read(0)[:2] == (temp / 1000, "gpu-thermal")


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
    assert probe.lost is None


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
    assert probe.read(seconds(6))[:2] == (70.0, "gpu-thermal")
    assert probe.lost is not None
    assert "gpu-thermal" in probe.lost
    assert probe.read(seconds(6.1))[:2] == (50.0, "cpu-thermal")
    assert probe.lost is not None
    write(tmp_path, zone(1, "gpu-thermal", 60_000))
    assert probe.read(seconds(7))[:2] == (60.0, "gpu-thermal")
    assert probe.lost is None


def test_zones_that_change_their_numbers_are_known_by_type(tmp_path: Path) -> None:
    probe = probe_of(tmp_path, zone(0, "cpu-thermal", 50), zone(1, "gpu-thermal", 70_000))
    probe.read(0)
    write(tmp_path, zone(1, "cpu-thermal", 52))
    write(tmp_path, zone(0, "gpu-thermal", 71_000))
    probe.scan()
    assert probe.read(0)[:2] == (71.0, "gpu-thermal")
    write(tmp_path, zone(0, "gpu-thermal", 1_000))  # still in millidegrees
    assert probe.read(0)[:2] == (52.0, "cpu-thermal")


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


def test_zones_of_one_type_are_told_apart(tmp_path: Path) -> None:
    zones = [zone(n, "x86_pkg_temp", 40_000 + n) for n in range(2)]
    assert probe_of(tmp_path, *zones).read(0).zone == "x86_pkg_temp#2"


def test_a_zone_can_be_left_out_by_type() -> None:
    assert not ThermalProbe(board("rpi4"), ("cpu-thermal",)).present


def test_nothing_stays_open(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    probe = ThermalProbe(root)
    for _ in range(3):
        probe.read(0)
        probe.scan()
    probe.close()
    assert len(list(descriptors.iterdir())) == before
