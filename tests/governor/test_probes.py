import errno
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.busytime import BusyTime
from edge_daemon.governor.cpu import CpuProbe
from edge_daemon.governor.owntime import OwnTime
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.reading import Reading
from tests.governor.driver import Driver
from tests.governor.sysroot import BOARDS, board, copy_of, seconds, write

ZONE = "sys/class/thermal/thermal_zone0/temp"


class Board:
    """Probes on a copy of a board, with clocks that the test moves."""

    def __init__(self, name: str, tmp_path: Path) -> None:
        self.root = copy_of(name, tmp_path)
        self.clock = VirtualClock()
        self.asleep_ns = 0
        self.probes = Probes(
            self.root,
            self.clock,
            awake_clock=lambda: self.clock() - self.asleep_ns,
            cpu=lambda root: CpuProbe(
                root, BusyTime(root, lambda: set(range(64))), OwnTime(root, lambda: 0, lambda: 0)
            ),
        )

    def read(self, at_s: float) -> Reading:
        self.clock.advance_to(seconds(at_s))
        return self.probes.read()

    def press(self, cpu_some_us: int, memory_full_us: int) -> None:
        """Let work have waited for that long since the board started."""
        start_us = 1_894_412
        for name, some_us, full_us in (
            ("cpu", start_us + cpu_some_us, 0),
            ("memory", start_us + memory_full_us, memory_full_us),
        ):
            averages = "avg10=0.00 avg60=0.00 avg300=0.00"
            text = f"some {averages} total={some_us}\nfull {averages} total={full_us}\n"
            write(self.root, {f"proc/pressure/{name}": text})

    def load(self, busy: int, idle: int) -> None:
        """Let busy and idle ticks pass on the first line of /proc/stat."""
        path = self.root / "proc/stat"
        head, *lines = path.read_text().splitlines()
        name, *counters = head.split()
        values = [int(counter) for counter in counters]
        values[0] += busy
        values[3] += idle
        path.write_text("\n".join([f"{name} {' '.join(map(str, values))}", *lines, ""]))


def test_a_whole_reading_of_a_pi(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    pi.load(busy=100, idle=300)
    assert pi.read(1.0) == Reading(
        time_ns=seconds(1.0),
        cpu_foreign=0.25,
        cpu_own=0.0,
        cores=4.0,
        memory_available_mib=2843.0,
        temperature_c=51.121,
        temperature_zone="cpu-thermal",
        temperature_limit_c=80.0,
        temperature_critical_c=110.0,
        absent=("battery",),
    )


def test_what_a_board_does_not_have_is_absent_and_did_not_fail(tmp_path: Path) -> None:
    reading = Board("container", tmp_path).read(1.0)
    assert reading.absent == ("temperature", "battery", "throttle")
    assert reading.failed == {}


def test_a_broken_board_fails_by_name_and_is_never_read_as_zero(tmp_path: Path) -> None:
    reading = Board("broken", tmp_path).read(1.0)
    assert set(reading.failed) == {"cpu", "memory", "temperature", "battery", "throttle"}
    assert all("/" in error for error in reading.failed.values())
    assert reading.absent == ()
    assert reading == Reading(
        time_ns=reading.time_ns, failed=reading.failed, failed_s=reading.failed_s
    )


@pytest.mark.parametrize("name", [path.name for path in BOARDS.iterdir() if path.is_dir()])
def test_no_board_makes_it_raise(name: str) -> None:
    clock = VirtualClock()
    probes = Probes(board(name), clock, awake_clock=clock)
    probes.read()
    clock.advance_to(seconds(61))  # sensors are looked for again
    probes.read()
    probes.close()
    assert probes.read().time_ns > 0  # even when closed


def test_an_empty_root_has_nothing() -> None:
    probes = Probes(Path("/nonexistent"))
    reading = probes.read()
    assert reading.absent == ("cpu", "memory", "temperature", "battery", "throttle")
    assert reading.failed == {}


def test_a_failed_sensor_keeps_its_value_for_five_seconds(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    assert pi.read(1.0).temperature_c == 51.121
    write(pi.root, {ZONE: "garbage"})
    held = pi.read(6.0)
    assert held.temperature_c == 51.121
    assert "garbage" in held.failed["temperature"]
    lost = pi.read(6.1)
    assert lost.temperature_c is None
    assert "garbage" in lost.failed["temperature"]
    write(pi.root, {ZONE: "52000"})
    back = pi.read(7.0)
    assert back.temperature_c == 52.0
    assert back.failed == {}


def test_memory_that_cannot_be_read_is_held_and_then_unknown(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    pi.read(1.0)
    write(pi.root, {"proc/meminfo": "\n"})
    assert pi.read(2.0).memory_available_mib == 2843.0
    assert pi.read(6.1).memory_available_mib is None


def test_a_zone_that_fails_beside_a_good_one_is_reported(tmp_path: Path) -> None:
    jetson = Board("jetson-orin", tmp_path)
    jetson.read(1.0)
    write(jetson.root, {"sys/class/thermal/thermal_zone1/temp": ""})
    reading = jetson.read(2.0)
    assert reading.temperature_c == 49.531
    assert "gpu-thermal" in reading.failed["temperature"]


def test_a_suspend_discards_the_load_of_the_time_before(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    pi.load(busy=100, idle=300)
    assert pi.read(1.0).cpu_foreign == 0.25
    pi.asleep_ns += seconds(3600)
    pi.load(busy=400, idle=0)
    reading = pi.read(3602.0)
    assert reading.cpu_foreign is None
    assert reading.failed == {}
    pi.load(busy=200, idle=200)
    assert pi.read(3603.0).cpu_foreign == 0.5


def test_the_pressures_on_cpu_and_memory_are_told(tmp_path: Path) -> None:
    pi = Board("rpi5", tmp_path)
    pi.press(cpu_some_us=200_000, memory_full_us=50_000)
    reading = pi.read(1.0)
    assert (reading.cpu_pressure, reading.memory_pressure) == (0.2, 0.05)


def test_a_suspend_discards_the_pressures_of_the_time_before(tmp_path: Path) -> None:
    pi = Board("rpi5", tmp_path)
    pi.asleep_ns += seconds(3600)
    pi.press(cpu_some_us=900_000, memory_full_us=900_000)
    reading = pi.read(3602.0)
    assert (reading.cpu_pressure, reading.memory_pressure) == (None, None)
    pi.press(cpu_some_us=1_000_000, memory_full_us=900_000)
    reading = pi.read(3603.0)
    assert (reading.cpu_pressure, reading.memory_pressure) == (0.1, 0.0)


@pytest.mark.parametrize("text", [None, "garbage\n"])
def test_a_board_that_does_not_tell_its_pressures_neither_lacks_nor_fails_a_signal(
    tmp_path: Path, text: str | None
) -> None:
    pi = Board("rpi4", tmp_path)
    if text is not None:
        write(pi.root, {"proc/pressure/cpu": text, "proc/pressure/memory": text})
    for at_s in (1.0, 70.0, 71.0):
        reading = pi.read(at_s)
        assert (reading.cpu_pressure, reading.memory_pressure) == (None, None)
        assert reading.absent == ("battery",)
        assert reading.failed == {}


def test_a_pause_that_is_no_suspend_discards_nothing(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    pi.load(busy=360_000, idle=1_080_000)
    assert pi.read(3600.0).cpu_foreign == 0.25


def test_sensors_that_come_later_are_found(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    assert "battery" in pi.read(1.0).absent
    supply = "sys/class/power_supply/max17040"
    write(pi.root, {f"{supply}/type": "Battery\n", f"{supply}/capacity": "41\n"})
    assert "battery" in pi.read(59.0).absent
    reading = pi.read(61.0)
    assert reading.battery_fraction == 0.41
    assert reading.absent == ()


def test_a_driver_that_comes_back_under_another_number_is_found_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pi = Board("rpi4", tmp_path)
    pi.read(1.0)
    Driver(monkeypatch).fail("thermal_zone0/temp", errno.ENODEV)
    assert "thermal_zone0/temp" in pi.read(2.0).failed["temperature"]
    zone = pi.root / "sys/class/thermal/thermal_zone0"
    write(zone.rename(zone.with_name("thermal_zone3")), {"temp": "53000"})
    back = pi.read(3.0)
    assert back.temperature_c == 53.0
    assert back.failed == {}


def test_a_reading_says_how_long_ago_a_failed_signal_last_answered(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    assert pi.read(1.0).failed_s == {}
    write(pi.root, {ZONE: "garbage"})
    assert pi.read(3.0).failed_s == {"temperature": 2.0}
    assert pi.read(61.0).failed_s == {"temperature": 60.0}
    write(pi.root, {ZONE: "52000"})
    assert pi.read(62.0).failed_s == {}
    write(pi.root, {ZONE: "garbage"})
    assert pi.read(62.5).failed_s == {"temperature": 0.5}


def test_a_signal_that_never_answered_counts_from_when_it_was_first_asked(tmp_path: Path) -> None:
    broken = Board("broken", tmp_path)
    broken.read(1.0)
    assert broken.read(8.0).failed_s["temperature"] == 7.0


def test_throttling_is_told(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    write(pi.root, {"sys/devices/platform/soc/soc:firmware/get_throttled": "50004"})
    assert pi.read(1.0).throttled == ("throttled",)


def test_ignored_zones_are_absent() -> None:
    probes = Probes(board("rpi4"), ignored_zones=("cpu-thermal",))
    assert "temperature" in probes.read().absent


def test_zones_can_be_left_out_and_taken_back_while_it_runs(tmp_path: Path) -> None:
    pi = Board("rpi4", tmp_path)
    assert pi.read(1.0).temperature_c == 51.121
    pi.probes.ignore_zones(("cpu-thermal",))
    reading = pi.read(2.0)
    assert "temperature" in reading.absent
    assert reading.temperature_c is None
    assert reading.failed == {}
    pi.probes.ignore_zones(())
    assert pi.read(3.0).temperature_c == 51.121


def test_this_machine() -> None:
    clock = VirtualClock()
    probes = Probes(clock=clock)
    clock.advance_to(seconds(5.0))
    reading = probes.read()
    probes.close()
    assert reading.failed == {}
    assert reading.memory_available_mib is not None
    assert reading.memory_available_mib > 0
    assert reading.cpu_foreign is None or 0.0 <= reading.cpu_foreign <= 1.0


@pytest.mark.parametrize("digits", [308, 311, 400, 5000])
def test_digits_without_end_are_no_reason_to_raise(tmp_path: Path, digits: int) -> None:
    pi = Board("rpi5", tmp_path)
    write(pi.root, {"proc/meminfo": f"MemAvailable: {'9' * digits} kB\nBuffers: 1 kB\n"})
    reading = pi.read(1.0)
    assert (reading.memory_available_mib is None) is ("memory" in reading.failed)
