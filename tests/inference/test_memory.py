import ctypes
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edge_daemon.inference.memory import release_free_memory, require_headroom, resident_bytes
from tests.inference.scenes import ROOT


def test_resident_is_the_second_field_in_pages(tmp_path: Path) -> None:
    (tmp_path / "statm").write_text("9000 250 100 1 0 800 0\n", encoding="ascii")
    assert resident_bytes(tmp_path) == 250 * resource.getpagesize()


def test_resident_follows_what_is_touched() -> None:
    before = resident_bytes()
    touched = bytearray(b"x") * (32 << 20)
    grown = resident_bytes() - before
    del touched
    assert grown >= 24 << 20


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim"
)
def test_freed_heap_goes_back_to_the_kernel() -> None:
    # Blocks below glibc's mmap threshold lie in the heap, and one kept at its end holds it there.
    blocks = [bytes(60_000) for _ in range(500)]
    kept = bytes(60_000)
    before = resident_bytes()
    blocks.clear()
    release_free_memory()
    assert before - resident_bytes() >= 10 << 20
    assert len(kept) == 60_000


def test_headroom_there_is() -> None:
    require_headroom(1 << 20)


def test_headroom_that_is_not_there_is_an_error() -> None:
    with pytest.raises(MemoryError, match="MiB"):
        require_headroom(1 << 60)


def test_a_limit_on_address_space_is_seen() -> None:
    program = """
import resource
from pathlib import Path
from edge_daemon.inference.memory import require_headroom
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + (8 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
require_headroom(1 << 20)
try:
    require_headroom(64 << 20)
except MemoryError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "less than 64 MiB can be allocated\n"
