import subprocess
import sys
from pathlib import Path

import pytest

from edge_daemon.governor.owntime import OwnTime
from tests.governor.sysroot import write

V2 = "sys/fs/cgroup/system.slice/edge-daemon.service"
V1 = "sys/fs/cgroup/cpu,cpuacct/system.slice/edge-daemon.service"
US = 1000


class Us:
    """A process 100 in a control group, whose clocks the test moves on, in µs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process_us = self.children_us = 0
        self.own = OwnTime(
            root, lambda: self.process_us * US, lambda: self.children_us * US, pid=100
        )
        self.before_ns = self.own.read()

    def used_us(self) -> float:
        """Return the own time since the last call, in µs."""
        before_ns, self.before_ns = self.before_ns, self.own.read()
        return (self.before_ns - before_ns) / US

    def group_used_us(self, usage: int) -> float:
        write(self.root, {f"{V2}/cpu.stat": stat(usage)})
        return self.used_us()


def stat(usage_us: int) -> str:
    return f"usage_usec {usage_us}\nuser_usec {usage_us}\nsystem_usec 0\n"


def service(root: Path, procs: str = "100\n") -> Path:
    """Make a v2 tree in which we are a service of systemd's."""
    return write(
        root,
        {
            "proc/self/cgroup": "0::/system.slice/edge-daemon.service\n",
            "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
            f"{V2}/cgroup.controllers": "",
            f"{V2}/cgroup.procs": procs,
            f"{V2}/cpu.stat": stat(5000),
        },
    )


def process(pid: int, parent: int, name: str = "python") -> dict[str, str]:
    return {f"proc/{pid}/stat": f"{pid} ({name}) S {parent} 100 100 0 -1 4194560 0\n"}


def test_without_a_group_it_is_the_process_and_the_children_that_ended(tmp_path: Path) -> None:
    us = Us(tmp_path)
    us.process_us, us.children_us = 300, 200
    assert us.used_us() == 500
    assert us.used_us() == 0


def test_in_a_group_of_its_own_children_count_while_they_run(tmp_path: Path) -> None:
    us = Us(service(tmp_path, "100\n"))
    us.process_us = 300
    assert us.group_used_us(5900) == 900


def test_a_child_that_ends_is_not_counted_again(tmp_path: Path) -> None:
    us = Us(service(tmp_path))
    us.process_us = 100
    assert us.group_used_us(5900) == 900
    us.process_us, us.children_us = 200, 800
    assert us.group_used_us(6000) == 100


def test_a_group_that_lags_does_not_take_from_our_own_clock(tmp_path: Path) -> None:
    us = Us(service(tmp_path))
    us.process_us = 400
    assert us.group_used_us(5100) == 400


def test_a_usage_that_goes_backwards_takes_nothing_away(tmp_path: Path) -> None:
    us = Us(service(tmp_path))
    us.process_us = 70
    assert us.group_used_us(100) == 70


def test_a_group_shared_with_others_is_not_ours(tmp_path: Path) -> None:
    us = Us(service(write(tmp_path, process(77, parent=1)), "77\n100\n"))
    us.process_us = 300
    assert us.group_used_us(9000) == 300


def test_a_group_without_us_is_not_ours(tmp_path: Path) -> None:
    us = Us(service(write(tmp_path, process(101, parent=100)), "101\n"))
    us.process_us = 300
    assert us.group_used_us(9000) == 300


def test_our_children_and_theirs_do_not_make_it_foreign(tmp_path: Path) -> None:
    write(tmp_path, process(101, parent=100, name="sh (a) b") | process(102, parent=101))
    us = Us(service(tmp_path, "100\n102\n101\n"))
    us.process_us = 300
    assert us.group_used_us(9000) == 4000


def test_a_process_that_ended_meanwhile_leaves_it_in_doubt(tmp_path: Path) -> None:
    us = Us(service(tmp_path, "100\n103\n"))
    us.process_us = 300
    assert us.group_used_us(9000) == 300


def test_somebody_who_joins_makes_it_foreign_at_the_next_check(tmp_path: Path) -> None:
    us = Us(service(tmp_path))
    write(tmp_path, process(77, parent=1) | {f"{V2}/cgroup.procs": "77\n100\n"})
    us.own.check()
    us.process_us, us.children_us = 300, 50
    assert us.group_used_us(9000) == 350


def test_a_group_that_becomes_ours_is_taken_from_the_next_scan_on(tmp_path: Path) -> None:
    us = Us(service(write(tmp_path, process(77, parent=1)), "77\n100\n"))
    write(tmp_path, {f"{V2}/cgroup.procs": "100\n"})
    us.own.scan()
    assert us.group_used_us(9000) == 0  # nothing to compare with yet
    assert us.group_used_us(9600) == 600


def test_a_group_with_groups_below_it_is_not_taken(tmp_path: Path) -> None:
    us = Us(write(service(tmp_path), {f"{V2}/below/cgroup.procs": "78\n"}))
    us.process_us = 300
    assert us.group_used_us(9000) == 300


def test_after_a_move_to_another_group_the_two_are_not_compared(tmp_path: Path) -> None:
    us = Us(service(tmp_path))
    other = "sys/fs/cgroup/other.service"
    write(tmp_path, {"proc/self/cgroup": "0::/other.service\n", f"{other}/cpu.stat": stat(10**9)})
    write(tmp_path, {f"{other}/cgroup.procs": "100\n"})
    us.own.scan()
    us.process_us = 300
    assert us.used_us() == 300
    write(tmp_path, {f"{other}/cpu.stat": stat(10**9 + 700)})
    assert us.used_us() == 700


def test_cgroup_v1_counts_in_ns(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/system.slice/edge-daemon.service\n",
            "sys/fs/cgroup/cpu,cpuacct/cgroup.procs": "",
            f"{V1}/cgroup.procs": "100\n",
            f"{V1}/cpuacct.usage": "5000000\n",
        },
    )
    us = Us(tmp_path)
    us.process_us = 300
    write(tmp_path, {f"{V1}/cpuacct.usage": "5900000\n"})
    assert us.used_us() == 900


@pytest.mark.parametrize("text", ["", "usage_usec\n", "usage_usec many\n", "usage_usec 9000"])
def test_a_malformed_or_partial_usage_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    us = Us(service(tmp_path))
    us.process_us, us.children_us = 300, 200
    write(tmp_path, {f"{V2}/cpu.stat": text})
    assert us.used_us() == 500


def test_the_real_thing_grows_with_our_work_and_with_that_of_our_children() -> None:
    own = OwnTime(Path("/"))
    before_ns = own.read()
    total = sum(range(200_000))
    alone_ns = own.read()
    assert total > 0
    assert alone_ns > before_ns
    work = "import time\nwhile time.process_time() < 0.15: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    assert own.read() - alone_ns > 100_000_000
    own.close()
