"""Any bytes in any file of a board: a reading never raises, and never holds what is no value."""

import math
import os
import random
import shutil
from pathlib import Path

import msgspec

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.reading import Reading
from tests.fuzz.amount import cases, source
from tests.fuzz.mutation import mutant
from tests.governor.sysroot import BOARDS, seconds

SHARES = ("cpu_foreign", "cpu_own", "cpu_pressure", "memory_pressure", "battery_fraction")
NOT_NEGATIVE = ("memory_available_mib", "power_w", "runtime_s", "cores")


def spoil(rng: random.Random, root: Path, share: float) -> None:
    """Change a share of a tree's files: mostly what is in them, at times what they are."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    seeds = [file.read_bytes() for file in files[:20]]
    for file in files:
        if rng.random() >= share:
            continue
        kind = rng.random()
        if kind < 0.8:
            file.write_bytes(mutant(rng, file.read_bytes(), seeds))
            continue
        file.unlink()
        if kind < 0.85:
            os.mkfifo(file)
        elif kind < 0.9:
            file.mkdir()
        elif kind < 0.95:
            file.symlink_to(file.name)  # a loop


def assert_sane(reading: Reading) -> None:
    for name in reading.__struct_fields__:
        value = getattr(reading, name)
        assert not isinstance(value, float) or math.isfinite(value), name
    for name in SHARES:
        value = getattr(reading, name)
        assert value is None or 0.0 <= value <= 1.0, name
    for name in NOT_NEGATIVE:
        value = getattr(reading, name)
        assert value is None or value >= 0.0, name
    assert reading.temperature_c is None or -60.0 < reading.temperature_c < 250.0
    # A trace of what broke is as good as any: it can be written, and read again.
    text = msgspec.json.encode(reading)
    assert msgspec.json.decode(text, type=Reading) == reading


def test_spoiled_boards(tmp_path: Path) -> None:
    rng = source("sensors")
    boards = sorted(path for path in BOARDS.iterdir() if path.is_dir())
    failed: set[str] = set()
    for number in range(cases(40)):
        root = tmp_path / f"board{number}"
        shutil.copytree(rng.choice(boards), root, symlinks=True)
        if rng.random() < 0.5:
            spoil(rng, root, rng.choice((0.03, 0.3)))
        clock = VirtualClock()
        probes = Probes(root, clock, awake_clock=clock)
        for _ in range(4):
            reading = probes.read()
            assert_sane(reading)
            failed |= reading.failed.keys()
            clock.advance_to(clock() + seconds(rng.choice((1.0, 1.0, 70.0))))
            spoil(rng, root, rng.choice((0.03, 0.3)))
        probes.close()
        shutil.rmtree(root)
    assert failed == {"cpu", "memory", "temperature", "battery", "throttle"}
