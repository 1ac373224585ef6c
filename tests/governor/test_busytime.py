import os
from pathlib import Path

import pytest

from edge_daemon.governor.busytime import BusyTime, Cores, affinity
from edge_daemon.governor.kernelfile import text_of
from tests.governor.sysroot import board, write

TICK_NS = 10_000_000
ROOT = "sys/fs/cgroup"


class Board:
    """A /proc/stat, and if wanted a root control group, whose counters the test moves on."""

    def __init__(self, root: Path, cores: int = 2, *, group: bool = False) -> None:
        self.root = root
        self.allowed = set(range(cores))
        self.cores = [[1000, 0, 500, 9000, 100, 0, 0, 0] for _ in range(cores)]
        self.usage_us = 0
        self.interrupts = True
        self.group = group
        self.write()
        self.busy = BusyTime(root, lambda: self.allowed, ticks_hz=100)
        self.before_ns, self.of = self.busy.read(check=True)

    def write(self) -> None:
        total = [sum(column) for column in zip(*self.cores, strict=True)]
        rows = [("cpu ", total), *((f"cpu{number}", row) for number, row in enumerate(self.cores))]
        lines = [f"{name} {' '.join(map(str, row))} 0 0" for name, row in rows]
        lines += ["intr 1 2 3"] if self.interrupts else []
        write(self.root, {"proc/stat": "\n".join([*lines, ""])})
        if self.group:
            usage = f"usage_usec {self.usage_us}\nuser_usec 0\n"
            write(self.root, {f"{ROOT}/cgroup.controllers": "cpu", f"{ROOT}/cpu.stat": usage})

    def ticks(self, *, check: bool = False) -> float:
        """Return the busy time since the last call, in ticks."""
        self.write()
        before_ns = self.before_ns
        self.before_ns, self.of = self.busy.read(check=check)
        return (self.before_ns - before_ns) / TICK_NS


@pytest.mark.parametrize(
    ("field", "busy"),
    [(0, True), (1, True), (2, True), (3, False), (4, False), (5, True), (6, True), (7, True)],
)
def test_all_but_idle_and_waiting_for_a_disk_is_busy(
    tmp_path: Path, field: int, busy: bool
) -> None:
    one = Board(tmp_path)
    one.cores[1][field] += 30
    assert one.ticks() == (30 if busy else 0)


def test_time_that_a_hypervisor_steals_is_busy(tmp_path: Path) -> None:
    one = Board(tmp_path, group=True)
    one.cores[0][7] += 40
    assert one.ticks(check=True) == 0  # the group counted so far
    one.cores[0][7] += 40
    assert one.ticks() == 40


def test_only_our_cores_count(tmp_path: Path) -> None:
    one = Board(tmp_path, cores=4)
    one.allowed = {1, 3}
    one.ticks()
    for number, row in enumerate(one.cores):
        row[0] += 10**number
    assert one.ticks() == 10 + 1000
    assert one.of == Cores(frozenset({1, 3}), online=4, shared=2)


def test_a_core_that_comes_or_goes_and_another_affinity_show_as_other_cores(tmp_path: Path) -> None:
    one = Board(tmp_path, cores=3)
    assert one.of == Cores(frozenset({0, 1, 2}), 3, 3)
    one.cores.pop()
    one.ticks()
    assert one.of.shared == 2
    one.cores.append([0] * 8)
    one.ticks()
    assert one.of.shared == 3
    one.allowed = {2}
    one.ticks()
    assert one.of.shared == 1


def test_more_cores_than_the_first_bytes_hold(tmp_path: Path) -> None:
    one = Board(tmp_path, cores=130)
    one.cores[129][0] += 7
    assert one.ticks() == 7
    assert one.of.online == 130


def test_a_stat_that_ends_after_the_cores(tmp_path: Path) -> None:
    one = Board(tmp_path)
    one.interrupts = False
    one.cores[0][0] += 7
    assert one.ticks() == 7


def test_a_counter_that_goes_back_takes_from_the_busy_time(tmp_path: Path) -> None:
    one = Board(tmp_path)
    one.cores[0][0] -= 900
    assert one.ticks() < 0


def test_where_all_cores_count_the_root_group_tells_between_two_checks(tmp_path: Path) -> None:
    one = Board(tmp_path, group=True)
    one.cores[0][0] += 999
    one.usage_us += 50_000
    assert one.ticks() == 5
    one.usage_us += 20_000
    assert one.ticks(check=True) == 2
    one.usage_us += 30_000
    assert one.ticks() == 3


def test_while_time_is_stolen_the_root_group_is_left_alone(tmp_path: Path) -> None:
    one = Board(tmp_path, group=True)
    one.cores[0][7] += 10
    one.usage_us += 10_000
    assert one.ticks(check=True) == 1  # so far the group counted
    one.cores[0][7] += 60
    assert one.ticks() == 60
    one.cores[0][0] += 5  # none was stolen: by the stat for a last time
    assert one.ticks() == 5
    one.usage_us += 30_000
    assert one.ticks() == 3


def test_where_only_some_cores_count_the_root_group_does_not(tmp_path: Path) -> None:
    one = Board(tmp_path, group=True)
    one.allowed = {0}
    one.ticks(check=True)
    one.cores[0][0] += 8
    one.usage_us += 990_000
    assert one.ticks() == 8


def test_the_root_of_a_container_is_not_the_boards(tmp_path: Path) -> None:
    write(tmp_path, {f"{ROOT}/cgroup.type": "domain\n"})
    one = Board(tmp_path, group=True)
    one.cores[0][0] += 8
    assert one.ticks() == 8


def test_a_root_group_without_usage_is_not_asked(tmp_path: Path) -> None:
    write(tmp_path, {f"{ROOT}/cgroup.controllers": "cpu"})  # Linux before 5.8
    one = Board(tmp_path)
    one.cores[0][0] += 8
    assert one.ticks() == 8


@pytest.mark.parametrize("usage", ["usage_usec lots\n", "", None])
def test_without_the_group_the_kernels_own_count_goes_on(tmp_path: Path, usage: str | None) -> None:
    one = Board(tmp_path, group=True)
    one.usage_us += 50_000_000
    one.cores[0][0] += 5000
    assert one.ticks() == 5000
    one.group = False
    file = tmp_path / ROOT / "cpu.stat"
    file.write_text(usage or "")
    if usage is None:  # its file system was unmounted
        file.unlink()
        one.busy.scan()
    assert one.ticks() < 0  # not comparable, once
    one.cores[0][0] += 30
    assert one.ticks() == 30
    one.cores[0][0] += 7
    assert one.ticks(check=True) == 7
    one.group = True
    one.write()
    one.busy.scan()
    one.cores[0][0] += 3
    one.usage_us += 30_000
    assert one.ticks(check=True) == 3
    one.usage_us += 20_000
    assert one.ticks() == 2


@pytest.mark.parametrize(
    "text", ["cpu  1 2\n", "cpu  a b c d e\n", "intr 1\n", "cpu0 1 2 3 4 5\n\n"]
)
def test_a_malformed_or_partial_stat_is_an_error_that_names_the_file(
    tmp_path: Path, text: str
) -> None:
    write(tmp_path, {"proc/stat": text})
    with pytest.raises(ValueError, match="proc/stat begins"):
        BusyTime(tmp_path, lambda: {0}, ticks_hz=100).read(check=True)


def test_a_board_without_a_stat(tmp_path: Path) -> None:
    busy = BusyTime(tmp_path)
    assert not busy.present
    with pytest.raises(FileNotFoundError, match="proc/stat"):
        busy.read(check=True)
    write(tmp_path, {"proc/stat": (board("rpi4") / "proc/stat").read_text()})
    busy.scan()
    assert busy.present


def test_the_real_counters_grow_with_our_work() -> None:
    # A kernel counts busy time tick by tick: by both sources, within a few.
    for check in (True, False):
        busy = BusyTime(Path("/"))
        before_ns, cores = busy.read(check=True)
        started = os.times()
        while (spent := os.times()).user + spent.system - started.user - started.system < 0.2:
            pass
        now_ns, _ = busy.read(check=check)
        busy.close()
        assert cores.shared == len(affinity())
        assert now_ns - before_ns > 150_000_000


def test_the_main_threads_affinity_counts() -> None:
    status = text_of(Path("/proc/self/status")) or ""
    mask = int(status.split("Cpus_allowed:")[1].split()[0].replace(",", ""), 16)
    assert affinity() <= {number for number in range(mask.bit_length()) if mask >> number & 1}
