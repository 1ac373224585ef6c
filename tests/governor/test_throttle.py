from pathlib import Path

import pytest

from edge_daemon.governor.throttle import ThrottleProbe
from tests.governor.sysroot import board, copy_of, write

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


def test_over_current_is_a_counter_that_moved(tmp_path: Path) -> None:
    root = copy_of("jetson-orin", tmp_path)
    counter = "sys/class/hwmon/hwmon3/oc3_event_cnt"
    write(root, {counter: "17\n"})
    probe = ThrottleProbe(root)
    assert probe.read(0) == ()  # before our time
    assert probe.read(0) == ()
    write(root, {counter: "18\n"})
    assert probe.read(0) == ("over-current",)
    assert probe.read(0) == ()


def test_other_boards_do_not_tell() -> None:
    for name in ("laptop", "container", "jetson-nano"):
        assert not ThrottleProbe(board(name)).present


def test_garbage_is_an_error_that_names_the_file() -> None:
    with pytest.raises(ValueError, match="get_throttled holds 'throttled=0x50005'"):
        ThrottleProbe(board("broken")).read(0)
