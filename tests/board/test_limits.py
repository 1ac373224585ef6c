"""Control groups of version 2: limits that bite, a governor that lives within them, counters."""

import re
from bisect import bisect
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.board.board import Board, Fields
from tests.board.test_faults import wait_for_cores
from tests.board.test_userland import PYTHON

pytestmark = [pytest.mark.root, pytest.mark.slow]

GROUPS = "/sys/fs/cgroup"
MIB = 1 << 20

ROOM_MIB = 12
"""Less than the reserve of 16."""

WINDOWS_SHARE = 1 / 4
"""Of one core, for the windows of `low`: they are in time on a host that becomes slower, too."""

OVERLOAD = 3
"""How many times the quota the windows alone ask for: a third at most is in time then."""

LATE_WINDOWS_ONLY = {
    "high_enter": 0.96, "high_leave": 0.97,
    "medium_enter": 0.97, "medium_leave": 0.98,
    "low_enter": 0.98, "low_leave": 0.99,
}  # fmt: skip
"""Bands of foreign load that hardly bind: what emulated devices keep busy says nothing."""

SAMPLES = 60
"""A good ten seconds of them."""


def test_limits_of_control_groups_of_version_2_bite(board: Board) -> None:
    assert board.line.check(f"stat -fc %T {GROUPS}").strip() == "cgroup2fs"
    grow = f"{PYTHON} -c \"bytearray(b'x') * (96 << 20)\""
    assert board.line.run(f"systemd-run --quiet --wait {grow}").code == 0
    assert board.line.run(f"systemd-run --quiet --wait --property MemoryMax=32M {grow}").code != 0


def test_it_gives_way_when_its_memory_is_limited_and_comes_back(board: Board) -> None:
    # The hard limit on stalls would come first now and then: pages come back slowly here.
    limits = {"ignored": ["cpu"], "memory": {"stalled": 1.0}, "up_after_s": 1, "ups_per_hour": 3600}
    board.configure("governor", limits=limits)
    mark, process = board.settle(), board.show("MainPID")
    leave_room(board)
    down = board.wait_for_tier("critical", after=mark)
    assert (down["resource"], down["rule"]) == ("memory", "memory_reserve")
    assert down["reading"]["memory_available_mib"] < 16
    board.wait_for("prediction", lambda line: line["tier"] == "critical", after=down["seq"])
    assert int(counter(board, "memory.events", "oom")) == 0

    limit(board, "MemoryMax=infinity")
    board.wait_for_tier("high", after=down["seq"])
    assert (board.show("NRestarts"), board.show("MainPID")) == ("0", process)


def test_it_gives_way_when_its_quota_shrinks_and_comes_back(board: Board) -> None:
    limits = {
        "cpu": LATE_WINDOWS_ONLY,
        "ignored": ["memory", "temperature", "battery"],
        # Up to `low` only: the tier below that is loaded already. To load one on so small a quota
        # would take minutes here.
        "priorities": {"sound": 0},
        "up_after_s": 0.5,
        "ups_per_hour": 3600,
    }
    board.configure("governor", limits=limits, reading_every_s=1.0)
    period_ms = max(10, round(cost_ms(board) / WINDOWS_SHARE))
    board.configure("window", period_ms=period_ms, reuse={"enabled": False})
    assert "cpu.max" not in board.line.check(f"ls {group(board)}").split()  # no quota, no file
    percent = max(1, int(100 * cost_ms(board) / period_ms / OVERLOAD))
    mark = board.mark()
    limit(board, f"CPUQuota={percent}%")
    down = board.wait_for_tier("critical", after=mark)
    assert (down["from"], down["resource"], down["rule"]) == ("low", "cpu", "cpu_limit")
    assert down["binding"]["quantity"] == "late_windows"
    wait_for_cores(board, percent / 100, mark)
    assert int(counter(board, "cpu.stat", "nr_throttled")) > 0

    mark = board.mark()
    limit(board, "CPUQuota=")
    board.wait_for_tier("low", after=mark)
    wait_for_cores(board, 2.0, mark)
    assert board.show("NRestarts") == "0"


def test_load_and_waiting_are_what_the_kernel_counts(board: Board) -> None:
    # Every reading in the journal, so that it is known what time each one looks back on.
    limits = {"ignored": ["cpu"], "poll_min_s": 2.0, "poll_max_s": 2.0}
    board.configure("governor", limits=limits, reading_every_s=1.0)
    board.settle()
    loops = " ".join(["busybox sh -c 'while :; do :; done' &"] * 4)
    board.line.check(f'systemd-run --quiet --unit=busy sh -c "{loops} wait"')
    samples = sample(board)
    board.line.check("systemctl stop busy")
    spans = [
        (before["reading"], after["reading"])
        for before, after in pairwise(lines(board, "reading"))
        if samples[0].at_s < at_s(before["reading"]) and at_s(after["reading"]) < samples[-1].at_s
    ]
    assert len(spans) >= 2
    for before, after in spans:
        begun, ended = between(samples, at_s(before)), between(samples, at_s(after))
        span_s = ended.at_s - begun.at_s
        busy, own = (ended.busy_s - begun.busy_s) / span_s, (ended.own_s - begun.own_s) / span_s
        assert after["cpu_foreign"] == pytest.approx((busy - own) / 2, abs=0.1)
        assert after["cpu_own"] == pytest.approx(own / 2, abs=0.1)
        waited = (ended.waited_s - begun.waited_s) / span_s
        assert after["cpu_pressure"] == pytest.approx(waited, abs=0.1)
        # Four loops on two cores: somebody waits; how much they get is the host's affair.
        assert after["cpu_pressure"] > 0.5
        assert after["cpu_foreign"] > 0.2
        assert 0.0 <= after["memory_pressure"] <= 1.0
    held = board.line.check(f"readlink /proc/{board.show('MainPID')}/fd/*").splitlines()
    root, ours, waiting = f"{GROUPS}/cpu.stat", f"{group(board)}/cpu.stat", "/proc/pressure/cpu"
    assert {root, ours, waiting} <= set(held)


def limit(board: Board, setting: str) -> None:
    """Set a limit as an operator does on a running service."""
    board.line.check(f"systemctl set-property --runtime edge-daemon.service {setting}")


def leave_room(board: Board) -> None:
    """Limit the service's memory to a little more than what it cannot give back.

    What the kernel takes away to get below the limit may include pages that were in use until then,
    and that leaves more room than meant; once those are gone too it does not.
    """
    for _ in range(5):
        in_use = memory_in_use(board)
        limit(board, f"MemoryMax={in_use + ROOM_MIB * MIB}")
        if memory_in_use(board) > in_use - 2 * MIB:
            return
    raise AssertionError("the service gives back more and more memory")


def memory_in_use(board: Board) -> int:
    """Return the bytes that the service cannot give back: file pages that lie idle do not count."""
    current = int(board.line.check(f"cat {group(board)}/memory.current"))
    return current - int(counter(board, "memory.stat", "inactive_file"))


def counter(board: Board, file: str, name: str) -> str:
    """Return a counter of the service's control group."""
    words = board.line.check(f"grep '^{name} ' {group(board)}/{file}").split()
    return words[1]


def group(board: Board) -> str:
    return f"{GROUPS}{board.show('ControlGroup')}"


def cost_ms(board: Board) -> float:
    """Return what a window of `low` takes at the least, by the next five readings that tell."""
    found: list[float] = []
    mark = board.mark()
    while len(found) < 5:
        line = board.wait_for("reading", computed_in_low, after=mark)
        found.append(line["reading"]["cycle_ms"])
        mark = line["seq"]
    return min(found)


def computed_in_low(line: Fields) -> bool:
    tier: str | None = line["reading"].get("cycle_tier")
    return tier == "low"


class Sample(NamedTuple):
    """The kernel's counters at one moment.

    Attributes:
        at_s: CLOCK_BOOTTIME.
        busy_s: time that the cores were busy.
        own_s: the service's part of it.
        waited_s: time in which something waited for a core.
    """

    at_s: float
    busy_s: float
    own_s: float
    waited_s: float


def sample(board: Board) -> list[Sample]:
    """Read the kernel's counters again and again for a while."""
    files = f"/proc/uptime {GROUPS}/cpu.stat {group(board)}/cpu.stat /proc/pressure/cpu"
    said = board.line.check(
        f"for i in $(seq {SAMPLES}); do head --quiet --lines=1 {files}; sleep 0.2; done", 120.0
    )
    pattern = r"(\S+) \S+\nusage_usec (\d+)\nusage_usec (\d+)\nsome .* total=(\d+)\n"
    return [
        Sample(float(at_s), int(busy_us) / 1e6, int(own_us) / 1e6, int(waited_us) / 1e6)
        for at_s, busy_us, own_us, waited_us in re.findall(pattern, said)
    ]


def between(samples: list[Sample], at_s: float) -> Sample:
    """Return the counters at a moment between two samples."""
    after = bisect(samples, (at_s,))
    first, second = samples[after - 1], samples[after]
    share = (at_s - first.at_s) / (second.at_s - first.at_s)
    return Sample(*(a + (b - a) * share for a, b in zip(first, second, strict=True)))


def lines(board: Board, event: str) -> list[Fields]:
    return [line for line in board.lines() if line["event"] == event]


def at_s(reading: Fields) -> float:
    return float(reading["time_ns"]) / 1e9
