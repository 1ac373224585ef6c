from pathlib import Path

import pytest

from edge_daemon.governor.cgroup import controller_groups, quota_cores, unified_groups
from edge_daemon.governor.memory import MemoryProbe
from tests.governor.sysroot import board, copy_of, write

SERVICE = "system.slice/edge-daemon.service"


def test_memavailable_in_mib() -> None:
    assert MemoryProbe(board("rpi4")).read(0) == pytest.approx(2911204 / 1024)


def test_a_container_has_the_room_below_its_limit_and_not_the_hosts() -> None:
    # 256 MiB, 192 used of which 40 are file pages that nobody used lately.
    assert MemoryProbe(board("container")).read(0) == pytest.approx(256 - 192 + 40)


def test_no_limit_is_no_limit() -> None:
    for name in ("rpi5", "jetson-nano"):
        root = board(name)
        host_kib = int((root / "proc/meminfo").read_text().split("MemAvailable:")[1].split()[0])
        assert MemoryProbe(root).read(0) == pytest.approx(host_kib / 1024)


def test_a_limit_of_cgroup_v1_counts(tmp_path: Path) -> None:
    root = copy_of("jetson-nano", tmp_path)
    limit = f"sys/fs/cgroup/memory/{SERVICE}/memory.limit_in_bytes"
    write(root, {limit: str(100 * 2**20)})
    # 70 MiB used, 10 of them inactive file pages.
    assert MemoryProbe(root).read(0) == pytest.approx(100 - 70 + 10)


def test_the_limit_of_a_parent_counts(tmp_path: Path) -> None:
    root = copy_of("rpi5", tmp_path)
    slice_ = "sys/fs/cgroup/system.slice"
    write(root, {f"{slice_}/memory.max": "209715200", f"{slice_}/memory.current": "104857600"})
    write(root, {f"{slice_}/memory.stat": "anon 1\ninactive_file 0\n"})
    assert MemoryProbe(root).read(0) == pytest.approx(100)


def test_the_soft_limit_counts_as_the_hard_one(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    write(root, {"sys/fs/cgroup/memory.high": str(224 * 2**20)})
    assert MemoryProbe(root).read(0) == pytest.approx(224 - 192 + 40)


def test_a_group_above_its_limit_has_no_room_and_not_less_than_none(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    write(root, {"sys/fs/cgroup/memory.max": str(64 * 2**20)})
    assert MemoryProbe(root).read(0) == 0.0


def test_a_limit_that_is_lifted_or_set_later_is_noticed(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    probe = MemoryProbe(root)
    assert probe.read(0) == pytest.approx(104)
    write(root, {"sys/fs/cgroup/memory.max": "max\n"})
    assert probe.read(0) == pytest.approx(47000)
    probe.scan()
    write(root, {"sys/fs/cgroup/memory.max": str(256 * 2**20)})
    probe.scan()
    assert probe.read(0) == pytest.approx(104)


def test_an_old_kernel_without_memavailable(tmp_path: Path) -> None:
    write(tmp_path, {"proc/meminfo": "MemFree: 1024 kB\nBuffers: 512 kB\nCached: 2048 kB\n"})
    assert MemoryProbe(tmp_path).read(0) == pytest.approx(3.5)


def test_nothing_to_go_by_is_an_error() -> None:
    with pytest.raises(ValueError, match="meminfo is empty"):
        MemoryProbe(board("broken")).read(0)


def test_meminfo_without_any_free_memory_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"proc/meminfo": "MemTotal: 5 kB\nHugepages: 0\n"})
    with pytest.raises(ValueError, match="neither MemAvailable nor MemFree"):
        MemoryProbe(tmp_path).read(0)


def test_groups_are_found_from_the_own_one_up_to_the_root() -> None:
    root = board("rpi5")
    base = root / "sys/fs/cgroup"
    assert unified_groups(root) == [base / SERVICE, base / "system.slice", base]
    nano = board("jetson-nano")
    base = nano / "sys/fs/cgroup/memory"
    assert controller_groups(nano, "memory") == [base / SERVICE, base / "system.slice", base]


def test_a_host_path_inside_a_container_means_the_mount(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    base = root / "sys/fs/cgroup"
    for path in ("/docker/0123456789ab", "/../../other.slice"):
        write(root, {"proc/self/cgroup": f"0::{path}\n"})
        assert unified_groups(root) == [base]


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    for root in (tmp_path, board("broken")):
        assert unified_groups(root) == []
        assert controller_groups(root, "memory") == []
        assert quota_cores(root) is None


def test_the_tightest_quota_counts(tmp_path: Path) -> None:
    assert quota_cores(board("container")) == 0.5
    assert quota_cores(board("rpi4")) is None
    root = copy_of("rpi4", tmp_path)
    write(root, {"sys/fs/cgroup/system.slice/cpu.max": "150000 100000"})
    assert quota_cores(root) == 1.5
    write(root, {f"sys/fs/cgroup/{SERVICE}/cpu.max": "20000 100000"})
    assert quota_cores(root) == 0.2


def test_a_quota_of_cgroup_v1(tmp_path: Path) -> None:
    assert quota_cores(board("jetson-nano")) is None  # -1: none
    root = copy_of("jetson-nano", tmp_path)
    write(root, {f"sys/fs/cgroup/cpu,cpuacct/{SERVICE}/cpu.cfs_quota_us": "250000"})
    assert quota_cores(root) == 2.5
