"""Disks that are really filled, broken and frozen, in a mount namespace of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.drills.stage import ROOT

SKIPPED = 77
HEAD = f"""
import errno, sys, threading, time
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tools.drills.disk import card, small_disk
from tools.drills.needs import SkipError
folder = Path(sys.argv[1])

def refused(path, number):
    try:
        with path.open("ab", buffering=0) as file:
            file.write(bytes(4096))
    except OSError as error:
        assert error.errno == number, error
    else:
        raise AssertionError("it was written")

def drill():
"""
TAIL = f"""
try:
    drill()
except SkipError as error:
    print(error)
    sys.exit({SKIPPED})
"""

FULL = """
    with small_disk(folder, 64) as disk:
        filler = disk.fill()
        assert 0 < filler.stat().st_size <= 65536
        refused(disk.path / "more", errno.ENOSPC)
        filler.unlink()
        (disk.path / "more").write_bytes(bytes(4096))
"""
WORN = """
    with card(folder) as disk:
        (disk.path / "before").write_text("kept")
        import os; os.sync()
        with (disk.path / "open").open("ab", buffering=0) as held:
            disk.give_up()
            try:
                held.write(b"x")
            except OSError as error:
                assert error.errno == errno.EROFS
        refused(disk.path / "more", errno.EROFS)
        disk.unmount()
        refused(disk.path / "more", errno.EROFS)  # nothing is written below
        disk.mount()
        assert (disk.path / "before").read_text() == "kept"
        (disk.path / "more").write_text("again")
"""
FROZEN = """
    with card(folder) as disk:
        written = threading.Event()
        def write():
            (disk.path / "file").write_text("at last")
            written.set()
        with disk.frozen():
            threading.Thread(target=write).start()
            assert not written.wait(0.5)
        assert written.wait(5)
        assert (disk.path / "file").read_text() == "at last"
"""


@pytest.mark.root
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare"
)
@pytest.mark.parametrize("body", [FULL, WORN, FROZEN], ids=["full", "worn", "frozen"])
def test_a_disk_does_what_the_drill_asks(tmp_path: Path, body: str) -> None:
    command = ["unshare", "--mount", sys.executable, "-c", HEAD + body + TAIL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr
