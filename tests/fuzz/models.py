"""Spoils models by the thousand and opens each as the daemon does: in a child process.

    python -m tests.fuzz.models --mutants 2000 --seed 1

prints how they ended. Many are opened by one child, one after another, until one kills it; what is
left goes to the next child.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_daemon.inference.model_check import ModelReport
from tests.fuzz.mutation import spoiled_model

ROOT = Path(__file__).resolve().parents[2]
_BATCH = 100
_PATIENCE_S = 120.0


def write_mutants(directory: Path, count: int, seed: int) -> list[Path]:
    """Write spoiled copies of the shipped models and of the tests' small ones, and return them."""
    rng = random.Random(seed)
    originals = [*ROOT.glob("models/*/*.tflite"), *ROOT.glob("tests/data/models/*/*.tflite")]
    seeds = [path.read_bytes() for path in sorted(originals)]
    files = []
    for number in range(count):
        file = directory / f"mutant{number}.tflite"
        file.write_bytes(spoiled_model(rng, rng.choice(seeds), seeds))
        files.append(file)
    return files


def fates(files: Sequence[Path]) -> list[str]:
    """Return how each file ended: `runs`, `refused`, `hangs`, or how it killed the child."""
    found: list[str] = []
    while len(found) < len(files):
        batch = files[len(found) : len(found) + _BATCH]
        command = [sys.executable, "-m", "edge_daemon.inference.model_check", *map(str, batch)]
        try:
            child = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
            output, end = child.stdout, f"killed the child ({child.returncode})"
        except subprocess.TimeoutExpired as error:
            output, end = error.stdout or b"", "hangs"
        lines = [line for line in output.splitlines() if line.startswith(b"{")]
        reports = [msgspec.json.decode(line, type=ModelReport) for line in lines]
        found += ["runs" if report.error is None else "refused" for report in reports]
        if len(reports) < len(batch):
            found.append(end)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Open as many mutants as are asked for, and print a count of their ends."""
    parser = argparse.ArgumentParser(description="open spoiled models")
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        for start in range(0, options.mutants, 1000):
            count = min(1000, options.mutants - start)
            counts.update(fates(write_mutants(Path(directory), count, options.seed + start)))
    for end, count in counts.most_common():
        sys.stdout.write(f"{count:6}  {end}\n")


if __name__ == "__main__":
    main()
