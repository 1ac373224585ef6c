import shutil
from pathlib import Path

import pytest

from edge_daemon.governor.hwmon import monitors
from edge_daemon.governor.rail import RailProbe
from tests.governor.sysroot import board, copy_of, seconds, write

MONITOR = "sys/class/hwmon/hwmon1"
ORIN = {"proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0"}


def rails(number: int, *channels: tuple[str, int, int]) -> dict[str, str]:
    base = f"sys/class/hwmon/hwmon{number}"
    files = {f"{base}/name": "ina3221\n"}
    for channel, (label, millivolts, milliamps) in enumerate(channels, start=1):
        files[f"{base}/in{channel}_label"] = f"{label}\n"
        files[f"{base}/in{channel}_input"] = f"{millivolts}\n"
        files[f"{base}/curr{channel}_input"] = f"{milliamps}\n"
    return files


def test_the_rail_that_feeds_the_board_and_not_those_behind_it() -> None:
    assert RailProbe(board("jetson-orin")).read(0) == pytest.approx(4.936 * 1.096)
    assert RailProbe(board("jetson-xavier")).read(0) == pytest.approx(4.96 * 1.25)


def test_rails_side_by_side_are_added(tmp_path: Path) -> None:
    first = rails(2, ("VDD_GPU_SOC", 20_000, 200), ("VDD_CPU_CV", 20_000, 100))
    second = rails(3, ("NC", 0, 0), ("VIN_SYS_5V0", 5_000, 800))
    for files in (ORIN, first, second):
        write(tmp_path, files)
    assert RailProbe(tmp_path).read(0) == pytest.approx(4.0 + 2.0 + 4.0)


def test_a_sum_that_lacks_a_rail_is_none(tmp_path: Path) -> None:
    files = rails(2, ("VDD_GPU_SOC", 20_000, 200), ("VDD_CPU_CV", 20_000, 100))
    probe = RailProbe(write(write(tmp_path, ORIN), files))
    assert not probe.present
    assert probe.read(0) is None


def test_a_sensor_that_gives_the_power_itself(tmp_path: Path) -> None:
    files = {"name": "ina238", "label": "VDD_IN", "power1_input": "7250000", "in1_input": "1"}
    write(tmp_path, {"proc/device-tree/model": "NVIDIA Jetson Orin NX\0"})
    write(tmp_path, {f"{MONITOR}/{name}": f"{text}\n" for name, text in files.items()})
    assert RailProbe(tmp_path).read(0) == 7.25


@pytest.mark.parametrize("name", ["rpi4", "rpi5", "jetson-nano", "laptop", "rock5", "container"])
def test_other_boards_do_not_tell(name: str) -> None:
    probe = RailProbe(board(name))
    assert not probe.present
    assert probe.read(0) is None


def test_a_rail_of_that_name_on_another_board_is_none_of_ours(tmp_path: Path) -> None:
    write(tmp_path, rails(1, ("VDD_IN", 5_000, 1_000)))
    assert not RailProbe(tmp_path).present


@pytest.mark.parametrize("current", ["", "garbage", "-400", "0", str(2**40)])
def test_what_is_no_power_is_none_and_no_error(tmp_path: Path, current: str) -> None:
    root = write(copy_of("jetson-orin", tmp_path), {f"{MONITOR}/curr1_input": f"{current}\n"})
    probe = RailProbe(root)
    assert probe.present
    assert probe.read(0) is None


def test_a_rail_is_asked_once_a_second(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    probe = RailProbe(root)
    first_w = probe.read(0)
    write(root, {f"{MONITOR}/curr1_input": "2000\n"})
    assert probe.read(seconds(0.9)) == first_w
    assert probe.read(seconds(1)) == pytest.approx(4.936 * 2)


def test_a_sensor_that_comes_back_under_another_number_is_found(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    probe = RailProbe(root)
    shutil.move(root / MONITOR, root / "sys/class/hwmon/hwmon9")
    probe.scan()
    assert probe.read(0) == pytest.approx(4.936 * 1.096)


def test_monitors_are_found_by_name_in_order_of_their_numbers(tmp_path: Path) -> None:
    for number, name in ((10, "ina3221"), (2, "ina3221"), (3, "cpu_thermal"), (1, "ina238")):
        write(tmp_path, {f"sys/class/hwmon/hwmon{number}/name": f"{name}\n"})
    found = [path.name for path in monitors(tmp_path, "ina3221", "ina238")]
    assert found == ["hwmon1", "hwmon2", "hwmon10"]
