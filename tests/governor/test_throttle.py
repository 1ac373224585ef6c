import shutil
from pathlib import Path

import pytest

from edge_daemon.governor.throttle import ThrottleProbe, throttled_since_boot
from tests.governor.sysroot import board, copy_of, seconds, write

FLAGS = "sys/devices/platform/soc/soc:firmware/get_throttled"
ALARM = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0", ()),
        ("50000", ()),  # since boot, not now
        ("1", ("under-voltage",)),
        ("2", ("frequency-capped",)),
        ("4", ("throttled",)),
        ("8", ("soft-limit",)),
        ("50005", ("under-voltage", "throttled")),
        ("e000e", ("frequency-capped", "throttled", "soft-limit")),
        ("0x50005", ("under-voltage", "throttled")),
    ],
)
def test_flags_are_hexadecimal_without_a_prefix(
    tmp_path: Path, text: str, names: tuple[str, ...]
) -> None:
    root = write(copy_of("rpi4", tmp_path), {FLAGS: f"{text}\n"})
    assert ThrottleProbe(root).read(0) == names


def test_the_voltage_alarm_counts_where_the_flags_are_stuck_at_zero(tmp_path: Path) -> None:
    root = write(copy_of("rpi4", tmp_path), {FLAGS: "0\n", ALARM: "1\n"})
    assert ThrottleProbe(root).read(0) == ("under-voltage",)


def test_the_firmware_node_of_a_pi_5_has_another_name() -> None:
    probe = ThrottleProbe(board("rpi5"))
    assert probe.present
    assert probe.read(0) == ()


COUNTERS = "sys/class/hwmon/hwmon3"


def test_over_current_is_a_counter_that_rose_and_stands_long_enough_to_act(tmp_path: Path) -> None:
    root = write(copy_of("jetson-orin", tmp_path), {f"{COUNTERS}/oc3_event_cnt": "17\n"})
    probe = ThrottleProbe(root)
    assert probe.read(seconds(0)) == ()  # before our time
    assert probe.read(seconds(1)) == ()
    write(root, {f"{COUNTERS}/oc3_event_cnt": "18\n"})
    assert probe.read(seconds(2)) == ("over-current",)
    assert probe.read(seconds(6.9)) == ("over-current",)
    assert probe.read(seconds(7)) == ()


def test_each_event_lets_the_flag_stand_anew(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    probe = ThrottleProbe(root)
    for second in range(4):
        write(root, {f"{COUNTERS}/oc2_event_cnt": f"{second}\n"})
        probe.read(seconds(second))
    assert probe.read(seconds(7.9)) == ("over-current",)
    assert probe.read(seconds(8)) == ()


def test_a_counter_that_goes_back_has_begun_anew(tmp_path: Path) -> None:
    root = write(copy_of("jetson-orin", tmp_path), {f"{COUNTERS}/oc3_event_cnt": "17\n"})
    probe = ThrottleProbe(root)
    probe.read(0)
    write(root, {f"{COUNTERS}/oc3_event_cnt": "0\n"})
    assert probe.read(seconds(1)) == ()
    write(root, {f"{COUNTERS}/oc3_event_cnt": "1\n"})
    assert probe.read(seconds(2)) == ("over-current",)


def test_a_clock_that_goes_back_ends_the_flag(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    probe = ThrottleProbe(root)
    probe.read(seconds(100))
    write(root, {f"{COUNTERS}/oc3_event_cnt": "1\n"})
    probe.read(seconds(101))
    assert probe.read(seconds(50)) == ()


def test_the_first_counter_of_an_orin_counts_drops_of_the_supply(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    probe = ThrottleProbe(root)
    probe.read(0)
    write(root, {f"{COUNTERS}/oc1_event_cnt": "1\n", f"{COUNTERS}/oc2_event_cnt": "1\n"})
    assert probe.read(seconds(1)) == ("under-voltage", "over-current")


def test_the_first_counter_of_another_board_counts_over_current(tmp_path: Path) -> None:
    model = {"proc/device-tree/model": "NVIDIA Jetson of a later year\0"}
    root = write(copy_of("jetson-orin", tmp_path), model)
    probe = ThrottleProbe(root)
    probe.read(0)
    write(root, {f"{COUNTERS}/oc1_event_cnt": "1\n"})
    assert probe.read(seconds(1)) == ("over-current",)


def test_other_boards_do_not_tell() -> None:
    for name in ("laptop", "container", "jetson-nano"):
        assert not ThrottleProbe(board(name)).present


def test_garbage_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    root = write(copy_of("rpi4", tmp_path), {FLAGS: "throttled=0x50005\n"})
    with pytest.raises(ValueError, match="get_throttled holds 'throttled=0x50005'"):
        ThrottleProbe(root).read(0)


@pytest.mark.parametrize(
    "files",
    [{FLAGS: "garbage\n", ALARM: "1\n"}, {FLAGS: "1\n", ALARM: "garbage\n"}],
)
def test_what_one_file_tells_counts_beside_one_that_fails(
    tmp_path: Path, files: dict[str, str]
) -> None:
    root = write(copy_of("rpi4", tmp_path), files)
    assert ThrottleProbe(root).read(0) == ("under-voltage",)


def test_an_alarm_that_fails_is_an_error_while_nothing_else_tells(tmp_path: Path) -> None:
    root = write(copy_of("rpi4", tmp_path), {FLAGS: "0\n", ALARM: "\n"})
    with pytest.raises(ValueError, match="in0_lcrit_alarm"):
        ThrottleProbe(root).read(0)


def test_a_monitor_that_comes_back_under_another_number_is_found(tmp_path: Path) -> None:
    root = copy_of("rpi4", tmp_path)
    probe = ThrottleProbe(root)
    assert probe.read(0) == ()
    shutil.move(root / "sys/class/hwmon/hwmon1", root / "sys/class/hwmon/hwmon7")
    write(root, {"sys/class/hwmon/hwmon7/in0_lcrit_alarm": "1\n"})
    probe.close()
    with pytest.raises(OSError, match="hwmon1"):
        probe.read(seconds(1))
    probe.scan()
    assert probe.read(seconds(2)) == ("under-voltage",)


def test_a_monitor_that_is_gone_stays_asked_for(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    probe = ThrottleProbe(root)
    shutil.rmtree(root / COUNTERS)
    probe.scan()
    assert probe.present
    with pytest.raises(OSError, match="oc1_event_cnt"):
        probe.read(0)


def test_what_held_the_board_back_since_the_boot() -> None:
    assert throttled_since_boot(board("rpi4")) == ("under-voltage", "throttled")
    assert throttled_since_boot(board("rpi5")) == ()
    assert throttled_since_boot(board("broken")) == ()
