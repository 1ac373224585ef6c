"""A child process whose clocks are not the machine's."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.drills.clock import ShiftedClock
from tools.drills.needs import SkipError

PROGRAM = """
import sys, time
from datetime import datetime
for _ in sys.stdin:
    boot, mono = time.clock_gettime(time.CLOCK_BOOTTIME), time.monotonic()
    print(time.time(), boot, mono, datetime.now().timestamp(), flush=True)
"""


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    try:
        return ShiftedClock(tmp_path)
    except SkipError as error:
        pytest.skip(str(error))


def test_it_shifts_wall_clock_and_boot_time_and_nothing_else(clock: ShiftedClock) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **clock.environ},
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for wall_s, boot_s in ((0.0, 0.0), (-3.15e8, 0.0), (3600.5, 7200.0), (0.0, 0.0)):
            clock.shift(wall_s=wall_s, boot_s=boot_s)
            child.stdin.write("\n")
            child.stdin.flush()
            wall, boot, mono, local = map(float, child.stdout.readline().split())
            assert wall - time.time() == pytest.approx(wall_s, abs=20)
            assert local == pytest.approx(wall, abs=20)
            now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            assert boot - now_s == pytest.approx(boot_s, abs=20)
            assert mono - time.monotonic() == pytest.approx(0.0, abs=20)
        child.stdin.close()
