"""Busy neighbours: real processes."""

import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import psutil
import pytest

from edge_daemon.profiling.contention import busy_core, measure_contention
from edge_daemon.profiling.plan import QUICK
from edge_daemon.profiling.stage import Stage, Turn
from edge_daemon.tier import TIERS, Tier

PATIENCE_S = 30.0


def neighbours() -> int:
    return len(psutil.Process().children())


class Told:
    """A stage on which a window takes half as long again for each busy neighbour."""

    def __init__(self, grows: float = 0.5) -> None:
        self.tiers: list[tuple[Tier, int]] = []
        self._grows = grows

    def adopt(self, tier: Tier) -> None:
        self.tiers.append((tier, neighbours()))

    def turn(self, windows: int) -> Turn:
        tier, busy = self.tiers[-1]
        return Turn([(2.0 + tier.rank) * (1.0 + self._grows * busy)] * windows, 1.0)


def contention(stage: Told, cores: float) -> float:
    return measure_contention(cast(Stage, stage), QUICK, cores, lambda text: None)


@pytest.mark.parametrize(("cores", "busy"), [(2.0, 1), (2.9, 1), (3.0, 2)])
def test_all_cores_but_one_are_kept_busy(cores: float, busy: int) -> None:
    stage = Told()
    before = neighbours()
    assert contention(stage, cores) == pytest.approx(0.5 * busy)
    assert stage.tiers == [(tier, before) for tier in TIERS] + [
        (tier, before + busy) for tier in TIERS
    ]
    assert neighbours() == before


@pytest.mark.parametrize("cores", [0.5, 1.0, 1.9])
def test_a_single_core_has_no_neighbours(cores: float) -> None:
    stage = Told()
    assert contention(stage, cores) == 0.0
    assert stage.tiers == []


def test_windows_that_become_faster_are_no_contention() -> None:
    assert contention(Told(grows=-0.25), 2.0) == 0.0


def test_a_neighbour_works_and_ends() -> None:
    with busy_core() as pid:
        child = psutil.Process(pid)
        until_s = time.monotonic() + PATIENCE_S
        while child.cpu_times().user < 0.1:
            assert time.monotonic() < until_s
            time.sleep(0.01)
    assert not psutil.pid_exists(pid)


def test_a_neighbour_ends_with_whoever_started_it_even_by_sigkill() -> None:
    program = (
        "import os, signal\n"
        "from edge_daemon.profiling.contention import busy_core\n"
        "with busy_core() as pid:\n"
        "    print(pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    pid = int(done.stdout)
    until_s = time.monotonic() + PATIENCE_S
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until_s
        time.sleep(0.01)
