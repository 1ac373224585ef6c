from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_daemon.governor.busytime import BusyTime
from edge_daemon.governor.cpu import CpuLoad, CpuProbe
from edge_daemon.governor.owntime import OwnTime
from tests.governor.sysroot import board, copy_of, seconds, write

TICK_NS = 10_000_000


class Machine:
    """A /proc/stat whose counters the test moves on, on a clock of its own."""

    def __init__(self, root: Path, cores: int, allowed: set[int] | None = None) -> None:
        self.root = root
        self.now_ns = 0
        self.own_ns = 0
        self.counters = [[1000] * 8 for _ in range(cores)]
        self._write()
        self.probe = CpuProbe(
            root,
            BusyTime(root, lambda: set(range(cores)) if allowed is None else allowed, 100),
            OwnTime(root, lambda: self.own_ns, lambda: 0),
        )
        assert self.probe.read(0) is None

    def advance(
        self, span_s: float, busy: Sequence[float], own: float = 0.0, iowait: float = 0.0
    ) -> CpuLoad | None:
        """Let `span_s` pass with the given share of each core busy, `own` cores of it ours."""
        ticks = span_s * 100
        for core, share in zip(self.counters, busy, strict=True):
            core[0] += round(ticks * share)
            core[3] += round(ticks * (1 - share - iowait))
            core[4] += round(ticks * iowait)
        self.now_ns += seconds(span_s)
        self.own_ns += round(own * ticks * TICK_NS)
        return self.read()

    def read(self) -> CpuLoad | None:
        self._write()
        return self.probe.read(self.now_ns)

    def _write(self) -> None:
        total = [sum(column) for column in zip(*self.counters, strict=True)]
        lines = [("cpu ", total), *((f"cpu{n}", core) for n, core in enumerate(self.counters))]
        text = "\n".join(f"{name} {' '.join(map(str, line))} 0 0" for name, line in lines)
        write(self.root, {"proc/stat": f"{text}\nintr 1 2 3\nctxt 5\n"})


def test_others_are_counted_and_we_are_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=4)
    load = machine.advance(1.0, [0.8, 0.8, 0.8, 0.8], own=1.2)
    assert load == pytest.approx((0.5, 0.3))


def test_our_own_load_is_no_pressure(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    load = machine.advance(1.0, [1.0, 1.0], own=2.0)
    assert load == pytest.approx((0.0, 1.0))


def test_more_own_time_than_busy_time_is_no_negative_load(tmp_path: Path) -> None:
    # Children are counted when they end, all at once.
    machine = Machine(tmp_path, cores=2)
    load = machine.advance(1.0, [0.5, 0.5], own=1.5)
    assert load is not None
    assert load.foreign == 0.0


def test_waiting_for_a_disk_is_idle(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    load = machine.advance(1.0, [0.2, 0.2], iowait=0.7)
    assert load == pytest.approx((0.2, 0.0))


def test_iowait_may_go_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.counters[0][4] -= 50
    load = machine.advance(1.0, [0.5, 0.5])
    assert load == pytest.approx((0.5, 0.0))


@pytest.mark.parametrize("field", [0, 2, 6, 7])
def test_a_counter_that_goes_back_gives_no_value_and_the_next_span_does(
    tmp_path: Path, field: int
) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.counters[0][field] -= 900
    assert machine.advance(1.0, [0.5, 0.5]) is None
    assert machine.advance(1.0, [0.5, 0.5]) == pytest.approx((0.5, 0.0))


@pytest.mark.parametrize("span_s", [0.0, -1.0])
def test_no_time_gives_no_value(tmp_path: Path, span_s: float) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.now_ns += seconds(span_s)
    assert machine.read() is None


def test_a_short_span_keeps_the_value_before(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    assert machine.advance(1.0, [0.5, 0.5]) == pytest.approx((0.5, 0.0))
    assert machine.advance(0.1, [1.0, 1.0]) == pytest.approx((0.5, 0.0))
    load = machine.advance(0.9, [1.0, 1.0])
    assert load == pytest.approx((1.0, 0.0))  # the whole second counts


def test_the_first_value_comes_after_a_fifth_of_a_second(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    assert machine.advance(0.1, [0.5, 0.5]) is None
    assert machine.advance(0.1, [0.5, 0.5]) == pytest.approx((0.5, 0.0))


def test_only_the_cores_that_we_may_use_count(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=4, allowed={2})
    load = machine.advance(1.0, [1.0, 1.0, 0.4, 1.0], own=0.3)
    assert load == pytest.approx((0.1, 0.3))


def test_a_core_that_goes_offline_gives_no_value_that_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=3)
    machine.advance(1.0, [0.5, 0.5, 0.5])
    machine.counters.pop()
    assert machine.advance(1.0, [0.5, 0.5]) is None
    machine.probe.scan()
    assert machine.advance(1.0, [0.5, 0.5]) == pytest.approx((0.5, 0.0))


def test_under_a_quota_others_count_once_they_leave_less_than_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cgroup.controllers": "cpu",
            "sys/fs/cgroup/cpu.max": "100000 100000\n",
        },
    )
    machine = Machine(tmp_path, cores=4)
    assert machine.advance(1.0, [0.75] * 4) == pytest.approx((0.0, 0.0))  # one core is free
    assert machine.advance(1.0, [0.88] * 4) == pytest.approx((0.52, 0.0))
    assert machine.advance(1.0, [1.0] * 4, own=0.5) == pytest.approx((0.5, 0.5))


def test_a_quota_that_changes_is_noticed_within_five_seconds(tmp_path: Path) -> None:
    quota = "sys/fs/cgroup/cpu.max"
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cgroup.controllers": "cpu",
            quota: "max 100000\n",
        },
    )
    machine = Machine(tmp_path, cores=4)
    assert machine.advance(1.0, [0.88] * 4) == pytest.approx((0.88, 0.0))
    assert machine.probe.cores == 4.0
    write(tmp_path, {quota: "100000 100000\n"})
    loads = [machine.advance(1.0, [0.88] * 4) for _ in range(5)]
    assert machine.probe.cores == 1.0
    # The span in which it was noticed is not compared; 0.48 of the one core are left.
    assert loads[:3] == [pytest.approx((0.88, 0.0))] * 3
    assert loads[3] is None
    assert loads[4] == pytest.approx((0.52, 0.0))


def test_another_affinity_is_noticed_and_its_span_not_compared(tmp_path: Path) -> None:
    allowed = {0, 1}
    machine = Machine(tmp_path, cores=2, allowed=allowed)
    assert machine.advance(1.0, [1.0, 0.2]) == pytest.approx((0.6, 0.0))
    allowed.remove(0)
    assert machine.advance(1.0, [1.0, 0.2]) is None
    assert machine.advance(1.0, [1.0, 0.2]) == pytest.approx((0.2, 0.0))
    assert machine.probe.cores == 1.0


def test_as_many_other_cores_are_others_all_the_same(tmp_path: Path) -> None:
    allowed = {0, 1}
    machine = Machine(tmp_path, cores=4, allowed=allowed)
    assert machine.advance(5.0, [0.5, 0.5, 0.6, 0.6]) == pytest.approx((0.5, 0.0))
    allowed ^= {0, 1, 2, 3}
    assert machine.advance(5.0, [0.5, 0.5, 0.6, 0.6]) is None
    assert machine.advance(5.0, [0.5, 0.5, 0.6, 0.6]) == pytest.approx((0.6, 0.0))


def test_a_core_that_comes_online_gives_no_value_that_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2, allowed=set(range(8)))
    assert machine.advance(1.0, [0.5, 0.5]) == pytest.approx((0.5, 0.0))
    machine.counters.append([5000] * 8)
    assert machine.advance(1.0, [0.5, 0.5, 0.5]) is None
    assert machine.advance(1.0, [0.5, 0.5, 0.5]) == pytest.approx((0.5, 0.0))
    assert machine.probe.cores == 3.0


def test_stolen_time_is_foreign(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.counters[0][7] += 60
    assert machine.advance(1.0, [0.0, 0.0]) == pytest.approx((0.3, 0.0))


def test_a_saturated_board_is_full_and_not_fuller(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.counters[0][0] += 50  # ticks are counted roughly: more than the time that passed
    assert machine.advance(1.0, [1.0, 1.0]) == pytest.approx((1.0, 0.0))


def test_cores_are_not_known_before_a_read_succeeds() -> None:
    probe = CpuProbe(board("broken"))
    assert probe.cores is None
    with pytest.raises(ValueError, match="proc/stat"):
        probe.read(0)
    assert probe.cores is None


def test_a_jump_of_the_clock_is_survived(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.advance(1.0, [0.5, 0.5])
    machine.now_ns -= seconds(30.0)
    assert machine.read() is None
    assert machine.advance(1.0, [0.2, 0.2]) == pytest.approx((0.2, 0.0))
    machine.now_ns += seconds(1e6)  # a span that nobody was busy in
    assert machine.read() == pytest.approx((0.0, 0.0))


def test_after_a_reset_the_span_before_does_not_count(tmp_path: Path) -> None:
    machine = Machine(tmp_path, cores=2)
    machine.advance(1.0, [0.5, 0.5])
    machine.probe.reset()
    assert machine.advance(1.0, [1.0, 1.0]) is None
    assert machine.advance(1.0, [0.2, 0.2]) == pytest.approx((0.2, 0.0))


def test_garbage_is_an_error_that_names_the_file() -> None:
    with pytest.raises(ValueError, match="proc/stat begins b'cpu  garbage"):
        CpuProbe(board("broken")).read(0)


def test_a_stat_that_comes_back_is_compared_with_the_last_good_one(tmp_path: Path) -> None:
    machine = Machine(copy_of("broken", tmp_path), cores=2)
    good = (machine.root / "proc/stat").read_text()
    write(machine.root, {"proc/stat": "cpu  1 2\n"})
    with pytest.raises(ValueError, match="proc/stat"):
        machine.probe.read(seconds(1.0))
    write(machine.root, {"proc/stat": good})
    assert machine.advance(2.0, [0.5, 0.5]) == pytest.approx((0.5, 0.0))


def test_the_real_machine_tells_its_load() -> None:
    probe = CpuProbe(Path("/"))
    assert probe.present
    assert probe.read(0) is None
    probe.close()
