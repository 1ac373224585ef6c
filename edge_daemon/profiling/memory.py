"""Memory that a tier takes beyond `critical`, in a fresh process of its own.

    python -m edge_daemon.profiling.memory BUNDLE TIER WIDTH HEIGHT THREADS

runs the loop in `critical`, adopts the tier, runs on, and prints the difference in MiB. A process
that ran other tiers before would not do: what those left behind serves again.
"""

import gc
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from edge_daemon.inference.bundle import Bundle, load_bundle
from edge_daemon.inference.memory import release_free_memory
from edge_daemon.profiling.stage import PATIENCE_S, ProfilingError, Setting, stage
from edge_daemon.profiling.windows import Tell
from edge_daemon.tier import TIERS, Tier

WINDOWS = 30
_PACE_MS = 5.0
_FIELDS = re.compile(r"^(?:Private_Dirty|Swap):\s+(\d+) kB$", re.MULTILINE)
_SETTLED = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def measure_memory(
    bundle: Bundle, setting: Setting, processes: int, tell: Tell
) -> dict[Tier, float]:
    """Return what each tier takes beyond `critical`, in MiB; median over processes.

    Args:
        bundle: the models.
        setting: what the config says.
        processes: for each tier.
        tell: takes what is being done now.

    Raises:
        ProfilingError: a process failed.
    """
    found: dict[Tier, list[float]] = {tier: [] for tier in TIERS[1:]}
    for number in range(processes):
        for tier, sizes_mib in found.items():
            tell(f"memory of {tier}, process {number + 1} of {processes}")
            sizes_mib.append(_in_child(bundle, tier, setting))
    median = {tier: max(0.0, statistics.median(sizes)) for tier, sizes in found.items()}
    return {Tier.CRITICAL: 0.0, **median}


def private_mib(proc: Path = Path("/proc/self")) -> float:
    """Return the memory that only this process holds and that cannot be dropped, in MiB.

    Pages that were written to, in memory or in swap (proc_pid_smaps(5)); where the kernel does
    not tell, what is resident and not shared, which includes code that was read from a file.
    """
    try:
        sizes = _FIELDS.findall((proc / "smaps_rollup").read_text(encoding="ascii"))
    except OSError:
        sizes = []
    if sizes:
        return sum(map(int, sizes)) / 1024
    _, resident, shared, *_ = (proc / "statm").read_text(encoding="ascii").split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _in_child(bundle: Bundle, tier: Tier, setting: Setting) -> float:
    sizes = (setting.width_px, setting.height_px, setting.threads)
    command = [sys.executable, "-m", "edge_daemon.profiling.memory", str(bundle.path), tier]
    # The child finds the same packages, wherever it was started from, and allocates as the
    # service does (see its unit).
    search = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    environment = {**_SETTLED, **os.environ, "PYTHONPATH": search, "PYTHONSAFEPATH": "1"}
    try:
        child = subprocess.run(
            [*command, *map(str, sizes)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            timeout=2 * PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProfilingError(f"memory of {tier} cannot be measured: {error}") from error
    try:
        return float(child.stdout.split()[-1])
    except (IndexError, ValueError):
        said = child.stderr.strip().splitlines()[-1:] or [f"exit code {child.returncode}"]
        raise ProfilingError(f"memory of {tier} cannot be measured: {said[0]}") from None


def _settled_mib() -> float:
    """Return the memory in use, less what is only kept for later."""
    gc.collect()
    release_free_memory()
    return private_mib()


def main(path: str, name: str, width_px: str, height_px: str, threads: str) -> None:
    """Print what the tier takes."""
    setting = Setting(int(width_px), int(height_px), int(threads))
    bundle = load_bundle(Path(path))
    with (
        tempfile.TemporaryDirectory(prefix="edge-daemon-profile-") as directory,
        stage(bundle, Path(directory), setting, _PACE_MS) as run,
    ):
        run.turn(WINDOWS)
        critical_mib = _settled_mib()
        run.adopt(Tier(name))
        run.turn(WINDOWS)
        print(f"{_settled_mib() - critical_mib:.3f}")  # noqa: T201 - read by `_in_child`


if __name__ == "__main__":
    main(*sys.argv[1:])
