"""Compare precisions of the students: int8, int4, two mixtures by significance, int16 activations.

    python -m tools.adapt_precision --data DIRECTORY --task live --method ra_cmkd

For each tier, every layer's significance decides which of its weights get 4 bits in place of 8.
All files are run on the validation split, and timed beside each other in the runtime of every
--python, the first of which decides. The files and `precision.jsonl` are left beside the
students.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from edge_daemon.tier import TIERS, Tier
from tools.dataset import DatasetError
from tools.precision.allocate import Allocation, AllocationError, Options
from tools.precision.candidates import make_candidates
from tools.precision.measure import Row, measure
from tools.precision.plan import losing, saving
from tools.precision.trial import Outcome, TrialError
from tools.precision.verdict import VerdictError, verdict
from tools.sources import add_arguments, sources_from
from tools.tasks import add_task_arguments, task_from
from tools.training.progress import Progress
from tools.training.record import Record
from tools.training.saved import load_students

SAVED = 0.5
"""Share of the bytes that 4 bits everywhere would save, which the mixtures save by default."""


def write_rows(record: Record, tier: Tier, rows: Sequence[Row]) -> None:
    """Record what was measured of each precision, here and in each runtime."""
    for row in rows:
        name = {"tier": tier, "precision": row.name}
        figures = {
            "bits": row.bits,
            "bytes": row.bytes,
            "accuracy": row.accuracy,
            "low": row.low,
            "high": row.high,
            "agreement": row.agreement,
        }
        record.write("precision", **name, **figures)
        for runtime, outcome in row.outcomes.items():
            if isinstance(outcome, str):
                record.write("trial", **name, runtime=runtime, failure=outcome)
                continue
            record.write(
                "trial",
                **name,
                runtime=runtime,
                delegated=outcome.delegated,
                same=row.runs[runtime].same,
                median_us=outcome.median_us,
                late_us=outcome.late_us,
            )


def show(tier: Tier, rows: Sequence[Row], chosen: str, others: Mapping[str, str]) -> None:
    """Print one tier's tables and the verdict."""
    console = Console(width=100)
    head = ("precision", "layers × bits", "bytes", "accuracy %", "95 % interval", "as float %")
    table = Table(*head, title=str(tier))
    for row in rows:
        table.add_row(
            row.name,
            row.bits,
            f"{row.bytes:,}",
            f"{100 * row.accuracy:.2f}",
            f"{100 * row.low:.2f} – {100 * row.high:.2f}",
            f"{100 * row.agreement:.2f}",
        )
    console.print(table)
    runtimes = list(rows[0].outcomes)
    table = Table("median µs", *runtimes, "verdict")
    for row in rows:
        cells = (cell(row.outcomes[runtime], row.runs[runtime].same) for runtime in runtimes)
        table.add_row(row.name, *cells, "ships" if row.name == chosen else others[row.name])
    console.print(table)


def cell(outcome: Outcome | str, same: float) -> str:
    """Return what the table says of one file in one runtime."""
    if isinstance(outcome, str):
        return "does not run"
    words = f"{outcome.median_us:.0f}" + ("" if outcome.delegated else " without XNNPACK")
    return words if same == 1.0 else f"{words}, {100 * same:.1f} % same"


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text}: not from 0 to 1")
    return value


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.adapt_precision", description=__doc__)
    add_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument("--method", default="ra_cmkd", help="whose students, in RUN/METHOD")
    parser.add_argument("--tier", choices=list(TIERS), action="append", help="only these tiers")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument(
        "--saved", type=share, help="share of the bytes that int4 saves, to be saved by mixtures"
    )
    bound.add_argument(
        "--lost", type=share, help="share of what int4 is predicted to lose, as mixtures' bound"
    )
    parser.add_argument(
        "--python",
        type=Path,
        action="append",
        help="interpreter of Python in whose runtime to try the files; the first decides",
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    pythons = options.python or [Path(sys.executable)]

    def choose(choices: Options) -> Allocation:
        if options.lost is not None:
            return losing(choices, options.lost)
        return saving(choices, SAVED if options.saved is None else options.saved)

    tiers = [tier for tier in TIERS if tier in (options.tier or TIERS)]
    try:
        task, directory = task_from(options)
        run = directory / options.method
        students = load_students(run)
        bands = students.shape.bands
        sources = sources_from(options)
        train = [sources.load(protocol, "train", bands) for protocol in task.protocols]
        kept_aside = sources.load(task.protocols[0], options.split, bands)
        record = Record(run / "precision.jsonl")
        with Progress("precision", len(tiers)) as progress:
            for tier in tiers:
                candidates = make_candidates(students, tier, train, choose, options.seed, record)
                rows = measure(students, tier, candidates, kept_aside, run / "precision", pythons)
                write_rows(record, tier, rows)
                name, others = verdict([row.measured for row in rows])
                record.write("verdict", tier=tier, precision=name, others=others)
                show(tier, rows, name, others)
                progress.advance(note=f"{tier} {name}")
    except (AllocationError, DatasetError, FileNotFoundError, TrialError, VerdictError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
