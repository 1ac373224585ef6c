from pathlib import Path

import pytest

from edge_daemon.governor.memory import MemoryProbe
from tests.governor.sysroot import board, copy_of, seconds, write

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


def test_swap_is_no_memory_that_can_be_taken(tmp_path: Path) -> None:
    root = copy_of("rpi4", tmp_path)
    path = root / "proc/meminfo"
    write(
        root, {"proc/meminfo": path.read_text() + "SwapTotal: 8000000 kB\nSwapFree: 7000000 kB\n"}
    )
    write(
        root, {"proc/swaps": "Filename Type Size Used Priority\n/dev/zram0 partition 8000000 0 5\n"}
    )
    assert MemoryProbe(root).read(0) == pytest.approx(2911204 / 1024)


def test_pages_set_aside_as_huge_ones_are_left_out_by_the_kernel_already(tmp_path: Path) -> None:
    text = "MemTotal: 4096000 kB\nMemFree: 300 kB\nMemAvailable: 1024 kB\n"
    write(tmp_path, {"proc/meminfo": text + "HugePages_Total: 900\nHugePages_Free: 900\n"})
    assert MemoryProbe(tmp_path).read(0) == pytest.approx(1.0)


def test_the_size_of_a_page_does_not_matter(tmp_path: Path) -> None:
    # The Pi 5's pages are 16 KiB; /proc/meminfo is in KiB and control groups are in bytes.
    root = copy_of("container", tmp_path)
    write(root, {"proc/meminfo": "MemTotal: 65536 kB\nMemFree: 16 kB\nMemAvailable: 32768 kB\n"})
    assert MemoryProbe(root).read(0) == pytest.approx(32.0)


def test_a_limit_below_the_usage_leaves_nothing(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    probe = MemoryProbe(root)
    assert probe.read(0) == pytest.approx(104)
    write(root, {"sys/fs/cgroup/memory.max": str(16 * 2**20)})
    assert probe.read(seconds(0.5)) == 0.0


@pytest.mark.parametrize("name", ["memory.max", "memory.high"])
def test_a_limit_that_is_set_where_there_was_none_is_noticed_within_five_seconds(
    tmp_path: Path, name: str
) -> None:
    root = copy_of("container", tmp_path)
    write(root, {f"sys/fs/cgroup/{limit}": "max\n" for limit in ("memory.max", "memory.high")})
    probe = MemoryProbe(root)
    assert probe.read(0) == pytest.approx(47000)
    write(root, {f"sys/fs/cgroup/{name}": str(256 * 2**20)})
    assert probe.read(seconds(4.9)) == pytest.approx(47000)
    assert probe.read(seconds(5.0)) == pytest.approx(104)


def test_a_process_that_was_moved_has_the_room_of_its_new_group_after_a_scan(
    tmp_path: Path,
) -> None:
    root = copy_of("container", tmp_path)
    probe = MemoryProbe(root)
    other = "sys/fs/cgroup/other"
    files = {"memory.max": str(2**20 * 50), "memory.current": str(2**20 * 20), "memory.stat": "a 1"}
    write(root, {f"{other}/{name}": text for name, text in files.items()})
    write(root, {"proc/self/cgroup": "0::/other\n"})
    assert probe.read(0) == pytest.approx(104)
    probe.scan()
    assert probe.read(0) == pytest.approx(30)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memory.current", ""),
        ("memory.current", "lots"),
        ("memory.max", "much"),
        ("memory.max", ""),
    ],
)
def test_a_group_that_cannot_be_understood_is_an_error_that_names_the_file(
    tmp_path: Path, name: str, text: str
) -> None:
    root = copy_of("container", tmp_path)
    probe = MemoryProbe(root)
    probe.read(0)
    write(root, {f"sys/fs/cgroup/{name}": text})
    with pytest.raises(ValueError, match=name):
        probe.read(seconds(1.0))


def test_a_usage_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    path = root / "sys/fs/cgroup/memory.current"
    path.unlink()
    path.symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match=str(path)):
        MemoryProbe(root).read(0)


def test_file_pages_count_as_room_only_as_far_as_there_are_any_in_use(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    write(root, {"sys/fs/cgroup/memory.current": "0\n"})
    assert MemoryProbe(root).read(0) == pytest.approx(256)


def test_a_group_without_a_stat_line_for_file_pages_counts_them_as_used(tmp_path: Path) -> None:
    root = copy_of("container", tmp_path)
    write(root, {"sys/fs/cgroup/memory.stat": "inactive_file\ninactive_file_x 5\nactive_file 7\n"})
    assert MemoryProbe(root).read(0) == pytest.approx(256 - 192)


def test_a_parent_of_v1_that_does_not_see_its_children_does_not_limit_them(tmp_path: Path) -> None:
    root = copy_of("jetson-nano", tmp_path)
    slice_ = "sys/fs/cgroup/memory/system.slice"
    host = MemoryProbe(root).read(0)
    files = {"memory.limit_in_bytes": str(2**20 * 50), "memory.usage_in_bytes": "0"}
    write(root, {f"{slice_}/{name}": text for name, text in files.items()})
    write(root, {f"{slice_}/memory.use_hierarchy": "0\n", f"{slice_}/memory.stat": "cache 0\n"})
    assert MemoryProbe(root).read(0) == host
    write(root, {f"{slice_}/memory.use_hierarchy": "1\n"})
    assert MemoryProbe(root).read(0) == pytest.approx(50)


def test_memavailable_further_down_is_found(tmp_path: Path) -> None:
    lines = [f"Vendor{number:02}: 0 kB" for number in range(40)]
    write(tmp_path, {"proc/meminfo": "\n".join([*lines, "MemAvailable: 2048 kB", ""])})
    assert MemoryProbe(tmp_path).read(0) == pytest.approx(2.0)


def test_memavailable_that_the_first_bytes_cut_off_is_read_in_full(tmp_path: Path) -> None:
    line = "MemAvailable:    2048000 kB\n"
    for cut in range(1, len(line)):
        head = f"MemFree: {'1'.rjust(256 - cut - len('MemFree:  kB_'))} kB\n"
        assert len(head) + cut == 256
        write(tmp_path, {"proc/meminfo": f"{head}{line}Buffers: 1 kB\n" + "HugePages: 0\n" * 20})
        assert MemoryProbe(tmp_path).read(0) == pytest.approx(2000.0)
