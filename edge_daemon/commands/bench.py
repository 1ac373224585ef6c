"""`edge-daemon bench`: what the tiers and the daemon itself cost on this device."""

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from edge_daemon import exitcode
from edge_daemon.commands import options
from edge_daemon.terminal import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which parts, and where the figures go."""
    options.add_config(parser)
    parser.add_argument(
        "--only",
        action="append",
        choices=("cycle", "swap", "poll", "memory"),
        help="measure this part only; may be given again",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    parser.epilog = (
        "Ratios are of figures taken in turn within one run, so that a noisy board does not\n"
        "spoil them. The journal lies in a temporary directory on the disk of $TMPDIR."
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; a file that cannot be written is told before anything is measured."""
    path: Path | None = arguments.json
    if path is not None and not _kept(path, "", "a"):
        return exitcode.TROUBLE
    figures = json.dumps(_measured(arguments), indent=2) + "\n"
    if path is not None and not _kept(path, figures, "w"):
        return exitcode.TROUBLE
    return exitcode.OK


def _kept(path: Path, text: str, mode: str) -> bool:
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(printable(f"edge-daemon: {path}: {error.strerror or error}"), file=sys.stderr)
        return False
    return True


def _measured(arguments: argparse.Namespace) -> dict[str, object]:
    from edge_daemon.bench import table
    from edge_daemon.bench.cycle import measure_cycles
    from edge_daemon.bench.footprint import measure_footprint
    from edge_daemon.bench.polls import measure_polls
    from edge_daemon.bench.swaps import measure_swaps
    from edge_daemon.inference.bundle import load_bundle
    from edge_daemon.inference.interpreter import runtime_version

    bundle = load_bundle(options.load(arguments).bundle)
    wanted = set(arguments.only or ("cycle", "swap", "poll", "memory"))
    figures: dict[str, object] = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "runtime": runtime_version(),
        "bundle": f"{bundle.name} {bundle.version}",
    }
    print(f"{', '.join(map(str, figures.values()))}; one thread")
    with tempfile.TemporaryDirectory(prefix="edge-daemon-bench-") as temporary:
        directory = Path(temporary)
        if "cycle" in wanted:
            cycles = measure_cycles(bundle, directory / "cycle")
            figures["cycle"] = [{**asdict(cost), "added_us": cost.added_us} for cost in cycles]
            print(table.cycles(cycles))
        if "swap" in wanted:
            swaps = measure_swaps(bundle, directory / "swap")
            figures["swap"] = asdict(swaps)
            print(table.swaps(swaps))
        if "poll" in wanted:
            polls = measure_polls()
            figures["poll"] = asdict(polls)
            print(table.polls(polls))
        if "memory" in wanted:
            footprint = measure_footprint(directory)
            figures["memory"] = asdict(footprint)
            print(table.footprint(footprint))
    return figures
