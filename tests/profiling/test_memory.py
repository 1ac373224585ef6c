"""Private memory: of sample files, of this process, and of a tier in a real child."""

import mmap
from pathlib import Path

import pytest

from edge_daemon.inference.bundle import load_bundle
from edge_daemon.profiling.memory import measure_memory, private_mib
from edge_daemon.profiling.stage import ProfilingError, Setting
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import write
from tests.inference.scenes import BARS

ROLLUP = """\
559bb4624000-7ffc25374000 ---p 00000000 00:00 0                          [rollup]
Rss:                9000 kB
Shared_Dirty:       4000 kB
Private_Clean:       500 kB
Private_Dirty:      2048 kB
Anonymous:          1900 kB
Swap:               1024 kB
SwapPss:            1024 kB
"""


def test_pages_that_were_written_to_count_and_pages_in_swap(tmp_path: Path) -> None:
    write(tmp_path, {"smaps_rollup": ROLLUP, "statm": "100 90 10 1 0 50 0"})
    assert private_mib(tmp_path) == 3.0


@pytest.mark.parametrize("files", [{}, {"smaps_rollup": ""}])
def test_without_them_what_is_not_shared(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, {**files, "statm": "100000 768 256 1 0 50000 0"})
    assert private_mib(tmp_path) in (2.0, 8.0, 32.0)  # pages of 4, 16 and 64 KiB


def test_memory_of_this_process_grows_by_what_it_writes_to() -> None:
    before = private_mib()
    with mmap.mmap(-1, 32 << 20) as block:  # pages of its own: an array may get used ones
        for start in range(0, 32 << 20, 4096):
            block[start] = 1
        grown = private_mib() - before
    assert 31.0 < grown < 40.0


def test_each_tier_in_a_process_of_its_own() -> None:
    found = measure_memory(load_bundle(BARS), Setting(), 1, lambda text: None)
    assert list(found) == list(TIERS)
    assert found[Tier.CRITICAL] == 0.0
    assert all(0.0 <= size < 64.0 for size in found.values())
    # A tier that listens takes a spectrogram more: the bars' models themselves are tiny.
    assert found[Tier.HIGH] > 0.05


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    bundle = load_bundle(BARS)
    gone = type(bundle)(
        tmp_path, bundle.sha256, bundle.name, bundle.version, bundle.labels, bundle.tiers
    )
    with pytest.raises(ProfilingError, match=r"memory of low cannot be measured: .*bundle\.yaml"):
        measure_memory(gone, Setting(), 1, lambda text: None)
