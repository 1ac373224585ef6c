from pathlib import Path

import pytest

from edge_daemon.governor.cgroup import (
    Quota,
    controller_groups,
    quota_cores,
    root_group,
    unified_groups,
)
from tests.governor.sysroot import board, copy_of, write

SERVICE = "system.slice/edge-daemon.service"


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


def test_a_quota_is_read_anew_each_time(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    quota = Quota(root)
    assert quota.cores() == 0.5
    write(root, {"sys/fs/cgroup/cpu.max": "300000 100000\n"})
    assert quota.cores() == 3.0
    write(root, {"sys/fs/cgroup/cpu.max": "max 100000\n"})
    assert quota.cores() is None
    (root / "sys/fs/cgroup/cpu.max").unlink()
    quota.close()
    assert quota.cores() is None


def test_a_process_that_was_moved_has_the_quota_of_its_new_group_after_a_scan(
    tmp_path: Path,
) -> None:
    root = copy_of("container", tmp_path)
    quota = Quota(root)
    write(
        root,
        {"proc/self/cgroup": "0::/other\n", "sys/fs/cgroup/other/cpu.max": "20000 100000\n"},
    )
    assert quota.cores() == 0.5
    quota.scan()
    assert quota.cores() == 0.2


def test_a_running_services_first_quota_is_seen_without_a_scan(tmp_path: Path) -> None:
    root = copy_of("rpi5", tmp_path)
    file = root / f"sys/fs/cgroup/{SERVICE}/cpu.max"
    file.unlink()  # as it is while neither this service nor one beside it has a quota
    quota = Quota(root)
    assert quota.cores() is None
    for cores, text in ((0.5, "50000 100000\n"), (0.2, "20000 100000\n")):
        write(root, {f"sys/fs/cgroup/{SERVICE}/cpu.max": text})
        assert quota.cores() == cores
    file.unlink()
    quota.close()
    assert quota.cores() is None
    write(root, {f"sys/fs/cgroup/{SERVICE}/cpu.max": "100000 100000\n"})
    assert quota.cores() == 1.0


@pytest.mark.parametrize(
    "text", ["", "\n", "0 100000", "50000", "50000 0", "-1 100000", "half 100000", "max"]
)
def test_a_malformed_quota_is_none(tmp_path: Path, text: str) -> None:
    root = copy_of("container", tmp_path)
    write(root, {"sys/fs/cgroup/cpu.max": text})
    assert quota_cores(root) is None


def test_a_cpuset_is_no_quota_but_shows_in_the_affinity(tmp_path: Path) -> None:
    root = copy_of("rpi5", tmp_path)
    write(root, {f"sys/fs/cgroup/{SERVICE}/cpuset.cpus.effective": "0-1\n"})
    assert quota_cores(root) is None


def test_the_boards_root_group_is_told_from_a_containers(tmp_path: Path) -> None:
    assert root_group(tmp_path) is None
    assert root_group(board("jetson-nano")) is None
    base = tmp_path / "sys/fs/cgroup"
    write(tmp_path, {"sys/fs/cgroup/cgroup.controllers": "cpu"})
    assert root_group(tmp_path) is None  # Linux before 5.8
    write(tmp_path, {"sys/fs/cgroup/cpu.stat": "usage_usec 1\n"})
    assert root_group(tmp_path) == base
    write(tmp_path, {"sys/fs/cgroup/cgroup.type": "domain\n"})
    assert root_group(tmp_path) is None


def test_beside_v1_the_unified_hierarchy_lies_deeper(tmp_path: Path) -> None:
    base = "sys/fs/cgroup/unified"
    files = {f"{base}/cgroup.controllers": "", f"{base}/cpu.stat": "usage_usec 1\n"}
    write(tmp_path, files | {"proc/self/cgroup": "4:memory:/a\n0::/b\n", f"{base}/b/x": ""})
    assert root_group(tmp_path) == tmp_path / base
    assert unified_groups(tmp_path) == [tmp_path / base / "b", tmp_path / base]


def test_a_path_that_no_file_system_bears_is_none(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": f"0::/{'x' * 300}\n",
            "sys/fs/cgroup/cgroup.controllers": "cpu\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
        },
    )
    assert quota_cores(root) == 0.5  # the mount is all there is
