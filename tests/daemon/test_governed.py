"""The governor in the running daemon, pressed for real: cores, memory, heat and charge."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.governor.cpu import CpuProbe
from edge_daemon.tier import Tier
from tests.daemon.running import (
    PATIENCE_S,
    STANDSTILL_S,
    Fields,
    Running,
    lines,
    longest_gap_s,
    of,
    running,
    write_config,
)
from tests.governor.sysroot import copy_of

# Bands that no noise of a shared machine reaches, and that a burner on every core does: at two
# windows a second the daemon's own part is small.
LIMITS = {
    "poll_min_s": 0.5,
    "poll_max_s": 0.5,
    "up_after_s": 1.5,
    "ups_per_hour": 3600,
    "cpu": {
        "low_enter": 0.88,
        "low_leave": 0.93,
        "medium_enter": 0.87,
        "medium_leave": 0.92,
        "high_enter": 0.86,
        "high_leave": 0.91,
    },
}
PERIOD_S = 0.5
BURN = "import time\nwhile True: pass"
MEMORY_CGROUP = Path("/sys/fs/cgroup/memory")


def daemon_config(folder: Path, limits: dict[str, Any]) -> Path:
    return write_config(
        folder / "config.yaml",
        video={"source": "synthetic"},
        audio={"source": "synthetic"},
        window={"period_ms": round(PERIOD_S * 1000)},
        governor={"limits": limits, "profile": "published"},
    )


@contextlib.contextmanager
def burners() -> Iterator[None]:
    """Keep every core busy."""
    children = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()


@pytest.fixture
def free_cores() -> None:
    """Wait until other programs leave the cores to us: more load than theirs must be told apart."""
    probe = CpuProbe(Path("/"))
    probe.read(time.monotonic_ns())
    deadline_s = time.monotonic() + PATIENCE_S
    quiet_s = 0
    while time.monotonic() < deadline_s:
        time.sleep(1.0)
        load = probe.read(time.monotonic_ns())
        quiet_s = quiet_s + 1 if load is not None and load.foreign < 0.6 else 0
        if quiet_s == 3:
            return
    pytest.skip("other programs keep the cores busy")


def tier_now(daemon: Running, tier: str, *, after: int = -1) -> Fields:
    """Wait until a tier is taken over and return its line."""
    return daemon.wait_for_event("tier_change", to=tier, after=after)


def recorded(path: Path) -> list[Fields]:
    """Return the polls of a recording."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["line"] == "poll"]


def polls_until_down(polls: list[Fields], bad: Callable[[Fields], bool]) -> int:
    """Return how many readings in a row were bad when the tier first went down."""
    run = 0
    for poll in polls:
        run = run + 1 if bad(poll["reading"]) else 0
        if Tier(poll["tier"]).rank < Tier(poll["previous"]).rank:
            return run
    raise AssertionError("it never went down")


def check_whole(found: list[Fields]) -> None:
    """No line is lost, the windows never stop, and every change says why."""
    predictions = of("prediction", found)
    numbers = [line["window"] for line in predictions]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    (stop,) = of("stop", found)
    assert stop["windows"] == stop["predictions"] == len(numbers)
    assert stop["late_max_s"] <= STANDSTILL_S
    assert longest_gap_s(predictions) <= PERIOD_S + STANDSTILL_S
    for line in of("tier_change", found):
        assert line["reason"]
        assert line["rule"]
        assert line["reading"] is not None
        if Tier(line["to"]).rank < Tier(line["from"]).rank:
            assert line["resource"]


@pytest.mark.usefixtures("free_cores")
def test_burners_on_every_core_take_it_down_within_two_polls_and_it_comes_back(
    tmp_path: Path, valid: Callable[[list[Fields]], None]
) -> None:
    config = daemon_config(tmp_path, {**LIMITS, "temperature": {"ignored_zones": []}})
    record = tmp_path / "readings.jsonl"
    with running(config, tmp_path / "journal", "--record", record) as daemon:
        high = tier_now(daemon, "high")
        with burners():
            down = daemon.wait_for(
                lambda line: line["event"] == "tier_change" and line["rule"] == "cpu_limit",
                after=high["seq"],
            )
            critical = down if down["to"] == "critical" else tier_now(daemon, "critical")
        up = tier_now(daemon, "high", after=critical["seq"])
        settled = daemon.wait_for_event("prediction", tier="high", after=up["seq"] + 8)
        assert daemon.stop() == 0
    found = lines(tmp_path / "journal")
    valid(found)
    check_whole(found)
    assert (
        polls_until_down(recorded(record), lambda reading: reading.get("cpu_foreign", 0) >= 0.91)
        <= 2
    )
    assert down["resource"] == "cpu"
    assert down["reason"].startswith("foreign CPU load is ")
    assert down["binding"]["quantity"] == "foreign_load"
    assert down["needs"][0]["value"] > down["needs"][0]["enter"]
    changes = of("tier_change", found)
    assert all(line["seq"] < settled["seq"] for line in changes)
    # Down, perhaps over a tier in between while the first burners start, and up one by one.
    moves = [Tier(line["to"]).rank - Tier(line["from"]).rank for line in changes[1:]]
    turns = sum(a * b < 0 for a, b in pairwise(moves))
    assert turns == 1, [line["to"] for line in changes]


@pytest.mark.skipif(
    not (MEMORY_CGROUP / "cgroup.procs").exists() or not os.access(MEMORY_CGROUP, os.W_OK),
    reason="needs root and the memory controller of cgroup v1",
)
def test_a_neighbour_in_the_same_memory_cgroup_takes_it_to_critical_at_once(
    tmp_path: Path,
) -> None:
    group = MEMORY_CGROUP / f"edge-daemon-test-{os.getpid()}"
    group.mkdir()
    try:
        limits = {**LIMITS, "ignored": ["cpu"], "memory": {"reserve_mib": 60, **bands(70, 80)}}
        config = daemon_config(tmp_path, limits)
        (group / "memory.limit_in_bytes").write_text(str(400 << 20))
        with running(config, tmp_path / "journal") as daemon:
            (group / "cgroup.procs").write_text(str(daemon.process.pid))
            high = tier_now(daemon, "high")
            room_mib = room(group)
            with eater(group, room_mib - 40):
                down = tier_now(daemon, "critical", after=high["seq"])
            up = tier_now(daemon, "high", after=down["seq"])
            assert daemon.stop() == 0
        found = lines(tmp_path / "journal")
        check_whole(found)
        assert (down["resource"], down["rule"]) == ("memory", "memory_reserve")
        assert down["from"] == "high"
        assert down["reading"]["memory_available_mib"] < 60
        assert up["reading"]["memory_available_mib"] > 80
    finally:
        remove(group)


def test_heat_and_charge_take_it_down_and_let_it_up_again(
    tmp_path: Path, valid: Callable[[list[Fields]], None]
) -> None:
    root = board_with_a_battery(tmp_path)
    heat = root / "sys/class/thermal/thermal_zone0/temp"
    charge = root / "sys/class/power_supply/BAT0"
    # Real cores and memory, whatever they are, must not interfere.
    quick = {"poll_min_s": 0.2, "poll_max_s": 0.2, "up_after_s": 0.5}
    limits = {**LIMITS, **quick, "ignored": ["cpu", "memory", "throttle"]}
    config = daemon_config(tmp_path, limits)
    record = tmp_path / "readings.jsonl"
    arguments = ("--sysroot", root, "--record", record)
    with running(config, tmp_path / "journal", *arguments) as daemon:
        start = tier_now(daemon, "high")
        put(heat, "75000")
        warm = tier_now(daemon, "low", after=start["seq"])
        put(heat, "71500")  # between where `medium` ends and where it begins
        still = daemon.wait_for_event("prediction", after=warm["seq"] + 4)
        put(heat, "45000")
        cool = tier_now(daemon, "high", after=warm["seq"])
        put(heat, "106000")
        trip = daemon.wait_for_event("tier_change", to="critical", after=cool["seq"])
        put(heat, "45000")
        again = tier_now(daemon, "high", after=trip["seq"])
        put(charge / "status", "Discharging")
        put(charge / "capacity", "35")
        drained = tier_now(daemon, "medium", after=again["seq"])
        put(charge / "status", "Charging")
        fed = tier_now(daemon, "high", after=drained["seq"])
        put(heat, "garbage")
        fault = daemon.wait_for_event("fault", part="governor", after=fed["seq"])
        daemon.wait_for_event("prediction", tier="high", after=fault["seq"])
        assert daemon.stop() == 0
    found = lines(tmp_path / "journal")
    valid(found)
    check_whole(found)
    assert warm["reason"] == (
        "distance to the thermal limit is 5.0 °C, at or below the 6.0 °C where medium ends"
    )
    assert still["tier"] == "low"
    ups = [line for line in of("tier_change", found) if line["rule"] == "recovered"]
    assert {line["reading"]["temperature_c"] for line in ups} == {45.0}
    assert (trip["resource"], trip["rule"]) == ("temperature", "temperature_critical")
    assert drained["reason"].startswith(
        "battery charge is 35 %, at or below the 40 % where high ends"
    )
    assert "temperature" in fault["message"]
    hot = recorded(record)
    assert polls_until_down(hot, lambda reading: reading.get("temperature_c", 0) >= 70) <= 2
    changes = [line["to"] for line in of("tier_change", found)]
    assert changes == [
        "high",
        *("low", "medium", "high"),
        *("critical", "low", "medium", "high"),
        *("medium", "high"),
    ]


def test_a_sensor_that_is_lost_costs_tiers_in_the_end_and_never_a_window(
    tmp_path: Path, valid: Callable[[list[Fields]], None]
) -> None:
    root = board_with_a_battery(tmp_path)
    heat = root / "sys/class/thermal/thermal_zone0/temp"
    quick = {"poll_min_s": 0.2, "poll_max_s": 0.2, "up_after_s": 0.5, "lost_s": 5.0}
    limits = {**LIMITS, **quick, "ignored": ["cpu", "memory", "throttle"]}
    config = daemon_config(tmp_path, limits)
    with running(config, tmp_path / "journal", "--sysroot", root) as daemon:
        high = tier_now(daemon, "high")
        put(heat, "garbage")
        fault = daemon.wait_for_event("fault", part="governor", after=high["seq"])
        lost = tier_now(daemon, "low", after=fault["seq"])
        put(heat, "46000")
        back = tier_now(daemon, "high", after=lost["seq"])
        assert daemon.stop() == 0
    found = lines(tmp_path / "journal")
    valid(found)
    check_whole(found)
    assert (lost["from"], lost["resource"], lost["rule"]) == ("high", "temperature", "lost")
    assert "temperature_c" not in lost["reading"]
    assert lost["reading"]["failed_s"]["temperature"] >= 10.0  # held for 5 s, then unknown for 5 s
    assert back["reading"]["temperature_c"] == 46.0
    changes = [line["to"] for line in of("tier_change", found)]
    assert changes == ["high", "low", "medium", "high"]


def test_a_constant_board_is_left_alone(tmp_path: Path) -> None:
    root = board_with_a_battery(tmp_path)
    limits = {**LIMITS, "poll_min_s": 0.1, "poll_max_s": 0.1, "ignored": ["cpu", "memory"]}
    config = daemon_config(tmp_path, limits)
    with running(config, tmp_path / "journal", "--sysroot", root) as daemon:
        high = tier_now(daemon, "high")
        daemon.wait_for_event("prediction", after=high["seq"] + 10)
        assert daemon.stop() == 0
    assert [line["to"] for line in of("tier_change", lines(tmp_path / "journal"))] == ["high"]


def board_with_a_battery(tmp_path: Path) -> Path:
    """A Pi 4 at 45 °C with a full battery on the mains, beside this machine's cores and memory."""
    root = copy_of("rpi4", tmp_path)
    put(root / "sys/class/thermal/thermal_zone0/temp", "45000")
    battery = root / "sys/class/power_supply/BAT0"
    battery.mkdir(parents=True)
    for name, text in (("type", "Battery"), ("status", "Full"), ("capacity", "100")):
        put(battery / name, text)
    return root


def put(path: Path, text: str) -> None:
    """Write a value in one go and in place, as a kernel file changes: never empty, never cut."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(fd, f"{text:12}\n".encode(), 0)
    finally:
        os.close(fd)


def bands(leave_mib: float, enter_mib: float) -> dict[str, float]:
    """The same band for all tiers."""
    values = {"leave": leave_mib, "enter": enter_mib}
    return {
        f"{tier}_{edge}_mib": values[edge] for tier in ("low", "medium", "high") for edge in values
    }


def room(group: Path) -> int:
    """Return the memory that the group has left, in MiB."""
    limit = int((group / "memory.limit_in_bytes").read_text())
    return (limit - int((group / "memory.usage_in_bytes").read_text())) >> 20


@contextlib.contextmanager
def eater(group: Path, mib: int) -> Iterator[None]:
    """A process in the group that holds this much memory."""
    program = f"held = bytearray(b'x') * ({mib} << 20)\nprint(flush=True)\ninput()"
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())) and None,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        child.stdout.readline()
        yield
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()


def remove(group: Path) -> None:
    """Remove the group as soon as the kernel has let go of its processes."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
