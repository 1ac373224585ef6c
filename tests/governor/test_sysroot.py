"""What the probes make of each board in tests/data/sysroot; the figures were worked out by hand."""

from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.busytime import BusyTime
from edge_daemon.governor.cpu import CpuProbe
from edge_daemon.governor.owntime import OwnTime
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.reading import Reading
from tests.governor.sysroot import BOARDS, copy_of, seconds

NOW_NS = seconds(1.0)


def pi(**rest: object) -> dict[str, object]:
    """The fields that all Raspberry Pis have in common."""
    common = {
        "cores": 4.0,
        "temperature_zone": "cpu-thermal",
        "temperature_limit_c": 80.0,
        "temperature_critical_c": 110.0,
        "absent": ("battery",),
    }
    return {**common, **rest}


EXPECTED: dict[str, dict[str, object]] = {
    "rpi3": pi(memory_available_mib=589.6, temperature_c=62.831, throttled=("soft-limit",)),
    "rpi4": pi(memory_available_mib=2843.0, temperature_c=51.121),
    "rpi5": pi(
        memory_available_mib=6756.0,
        temperature_c=57.65,
        cpu_pressure=0.0,
        memory_pressure=0.0,
    ),
    "rpi-zero2": pi(
        memory_available_mib=202.0,
        temperature_c=55.844,
        temperature_critical_c=90.0,
        battery_fraction=0.4,
        on_mains=False,
        power_w=1.8,  # 0.48 A at 3.75 V
        runtime_s=9000.0,  # 1.2 Ah at 3.75 V
        throttled=("under-voltage", "throttled"),
        absent=(),
    ),
    "ups": pi(
        memory_available_mib=1376.0,
        temperature_c=48.199,
        battery_fraction=0.64,
        on_mains=False,
        absent=(),
    ),
    "jetson-nano": {
        "cores": 4.0,
        "memory_available_mib": 2300.0,
        "temperature_c": 41.5,
        "temperature_zone": "AO-therm",
        "temperature_limit_c": 97.0,
        "temperature_critical_c": 102.5,
        "absent": ("battery", "throttle"),
    },
    "jetson-xavier": {
        "cores": 6.0,
        "memory_available_mib": 5000.0,
        "temperature_c": 43.5,
        "temperature_zone": "CPU-therm",
        "temperature_limit_c": 90.5,
        "temperature_critical_c": 96.0,
        "power_w": 6.2,  # 1.25 A at 4.96 V
        "absent": ("battery",),
    },
    "jetson-orin": {
        "cores": 6.0,
        "cpu_pressure": 0.0,
        "memory_available_mib": 5501.0,
        "memory_pressure": 0.0,
        "temperature_c": 49.531,
        "temperature_zone": "cpu-thermal",
        "temperature_limit_c": 99.0,
        "temperature_critical_c": 104.5,
        "power_w": 5.41,  # 1.096 A at 4.936 V
        "absent": ("battery",),
    },
    "rock5": {
        "cores": 8.0,
        "memory_available_mib": 6756.0,
        "temperature_c": 39.769,
        "temperature_zone": "bigcore0-thermal",
        "temperature_limit_c": 75.0,
        "absent": ("battery", "throttle"),
    },
    "laptop": {
        "cores": 8.0,
        "cpu_pressure": 0.0,
        "memory_available_mib": 9620.0,
        "memory_pressure": 0.0,
        "temperature_c": 46.0,
        "temperature_zone": "x86_pkg_temp",
        "temperature_limit_c": 80.0,
        "battery_fraction": 0.423,  # 30.13 of 71.19 Wh
        "on_mains": False,
        "power_w": 8.64,
        "runtime_s": 12_554.0,
        "absent": ("throttle",),
    },
    "container": {
        "cores": 0.5,
        "cpu_foreign": 0.0,  # what others leave is more than the quota
        "memory_available_mib": 104.0,  # 256 - 192 + 40
        "absent": ("temperature", "battery", "throttle"),
    },
    "broken": {"cpu_foreign": None, "cpu_own": None},
    "broken-jetson": {"cores": 6.0, "memory_available_mib": 5501.0},
}

FAILED = {
    "broken": {"cpu", "memory", "temperature", "battery", "throttle"},
    "broken-jetson": {"temperature", "battery", "throttle"},
}


def reading_of(name: str, tmp_path: Path) -> Reading:
    """Return the second reading, a second after the first, with a quarter of the CPU busy."""
    root = copy_of(name, tmp_path)
    clock = VirtualClock()
    probes = Probes(
        root,
        clock,
        awake_clock=clock,
        cpu=lambda root: CpuProbe(
            root, BusyTime(root, lambda: set(range(64))), OwnTime(root, lambda: 0, lambda: 0)
        ),
    )
    probes.read()
    stat = root / "proc/stat"
    head, *lines = stat.read_text().splitlines()
    if head.startswith("cpu  ") and head.split()[1].isdigit():
        ticks = [int(count) for count in head.split()[1:]]
        cores = sum(line.startswith("cpu") for line in lines)
        ticks[0] += 25 * cores
        ticks[3] += 75 * cores
        stat.write_text("\n".join([f"cpu  {' '.join(map(str, ticks))}", *lines, ""]))
    clock.advance_to(NOW_NS)
    reading = probes.read()
    probes.close()
    return reading


def test_every_tree_has_its_expected_reading() -> None:
    assert {path.name for path in BOARDS.iterdir() if path.is_dir()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_whole_reading_of(name: str, tmp_path: Path) -> None:
    reading = reading_of(name, tmp_path)
    assert set(reading.failed) == FAILED.get(name, set())
    fields = {"cpu_foreign": 0.25, "cpu_own": 0.0, **EXPECTED[name]}
    for field in Reading.__struct_fields__:
        if field not in ("time_ns", "failed", "failed_s"):
            assert getattr(reading, field) == fields.get(field, _default(field)), field


def _default(field: str) -> object:
    return getattr(Reading(time_ns=0), field)
