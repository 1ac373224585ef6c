"""Evaluate a bundle: accuracy of the files themselves, against the float network; size; time.

    python -m tools.evaluate --data DIRECTORY --run runs/avdigits --bundle models/avdigits --write

Every model is run in the daemon's own interpreter on every test pair. With --write, the accuracy
goes into the bundle's manifest.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from edge_daemon.inference.bundle import Bundle, load_bundle, write_bundle
from edge_daemon.inference.interpreter import Interpreter, runtime_version
from edge_daemon.inference.manifest import Accuracy
from edge_daemon.tier import TIERS, Tier
from tools.dataset import Dataset, ProtocolName
from tools.evaluation.absence import silent_confidence
from tools.evaluation.answers import Pairs, model_logits, network_logits, pairs_for
from tools.evaluation.interval import bootstrap_interval
from tools.evaluation.latency import latency_us
from tools.networks.student import Students
from tools.sources import Sources, add_arguments, sources_from
from tools.train import PROTOCOLS, load_students
from tools.training.progress import Progress
from tools.training.record import Record

PROGRESS_STEP = 250


@dataclass(frozen=True)
class Result:
    """One tier under one protocol.

    Attributes:
        tier: which.
        protocol: which.
        samples: pairs of the test split.
        int8: share of right answers of the model file.
        low: lower end of its 95 % interval, by clip where the tier listens.
        high: upper end.
        float32: share of right answers of the network before quantisation.
        agreement: share of pairs on which file and network give the same answer.
    """

    tier: Tier
    protocol: ProtocolName
    samples: int
    int8: float
    low: float
    high: float
    float32: float
    agreement: float


@dataclass(frozen=True)
class Cost:
    """What one tier costs.

    Attributes:
        tier: which.
        bytes: of the file.
        macs: of one inference.
        median_us: of one inference with one thread.
        late_us: the 95th percentile.
        delegated: whether XNNPACK runs it.
        silent: highest probability where all inputs are absent.
    """

    tier: Tier
    bytes: int
    macs: int
    median_us: float
    late_us: float
    delegated: bool
    silent: float


def evaluate_tier(
    tier: Tier,
    protocol: ProtocolName,
    interpreter: Interpreter,
    students: Students,
    pairs: Pairs,
    progress: Progress,
) -> Result:
    """Compare file and network on every pair."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % PROGRESS_STEP == 0:
            progress.advance(PROGRESS_STEP)

    answers = model_logits(interpreter, pairs, advance).argmax(1)
    progress.advance(len(pairs) % PROGRESS_STEP)
    wanted = network_logits(students.tier(tier), pairs).argmax(1)
    right = answers == pairs.labels
    low, high = bootstrap_interval(right, pairs.groups)
    return Result(
        tier=tier,
        protocol=protocol,
        samples=len(pairs),
        int8=float(right.mean()),
        low=low,
        high=high,
        float32=float((wanted == pairs.labels).mean()),
        agreement=float((wanted == answers).mean()),
    )


def measure_cost(bundle: Bundle, tier: Tier, interpreter: Interpreter) -> Cost:
    """Return size and time of a tier's model."""
    spec = bundle.tiers[tier]
    median_us, late_us = latency_us(interpreter)
    return Cost(
        tier=tier,
        bytes=spec.bytes,
        macs=spec.macs,
        median_us=round(median_us, 1),
        late_us=round(late_us, 1),
        delegated=interpreter.delegated,
        silent=round(silent_confidence(interpreter), 4),
    )


def evaluate(
    bundle: Bundle, students: Students, sources: Sources
) -> tuple[list[Result], list[Cost]]:
    """Evaluate all tiers under all protocols, with one thread."""
    datasets: dict[ProtocolName, Dataset] = {
        protocol: sources.load(protocol, "test") for protocol in PROTOCOLS
    }
    total = len(TIERS) * sum(len(dataset.pictures.labels) for dataset in datasets.values())
    results, costs = [], []
    with Progress("evaluate", total) as progress:
        for tier in reversed(TIERS):
            interpreter = Interpreter(bundle.read_model(tier), threads=1, name=str(tier))
            costs.append(measure_cost(bundle, tier, interpreter))
            for protocol, dataset in datasets.items():
                pairs = pairs_for(bundle.tiers[tier], dataset)
                results.append(
                    evaluate_tier(tier, protocol, interpreter, students, pairs, progress)
                )
            interpreter.close()
    return results, costs


def write_accuracy(bundle: Bundle, results: Sequence[Result]) -> Bundle:
    """Write the measured accuracy into the bundle's manifest."""
    tiers = {
        tier: replace(
            spec,
            accuracy=tuple(
                Accuracy(result.protocol, round(result.int8, 5), result.samples)
                for result in results
                if result.tier == tier
            ),
        )
        for tier, spec in bundle.tiers.items()
    }
    return write_bundle(
        bundle.path, name=bundle.name, version=bundle.version, labels=bundle.labels, tiers=tiers
    )


def show(results: Sequence[Result], costs: Sequence[Cost]) -> None:
    """Print both tables."""
    console = Console(width=100)
    table = Table(
        "tier", "protocol", "int8 %", "95 % interval", "float %", "same answer %", "pairs"
    )
    for result in results:
        shares = (result.int8, result.low, result.high, result.float32, result.agreement)
        int8, low, high, float32, agreement = (f"{100 * share:.2f}" for share in shares)
        row = (int8, f"{low} – {high}", float32, agreement, str(result.samples))
        table.add_row(result.tier, result.protocol, *row)
    console.print(table)
    table = Table("tier", "bytes", "MACs", "median µs", "95th µs", "XNNPACK", "highest when absent")
    for cost in costs:
        table.add_row(
            cost.tier,
            f"{cost.bytes:,}",
            f"{cost.macs:,}",
            f"{cost.median_us:.0f}",
            f"{cost.late_us:.0f}",
            "yes" if cost.delegated else "no",
            f"{cost.silent:.3f}",
        )
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--bundle", type=Path, required=True, help="directory of the bundle")
    parser.add_argument("--write", action="store_true", help="accuracy into the manifest")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    options = parser.parse_args(arguments)
    options.run = options.run or Path("runs/avdigits")
    torch.set_num_threads(options.threads)
    bundle = load_bundle(options.bundle)
    results, costs = evaluate(bundle, load_students(options.run), sources_from(options))
    record = Record(options.run / "evaluate.jsonl")
    record.write("bundle", name=bundle.name, version=bundle.version, runtime=runtime_version())
    for result in results:
        record.write("accuracy", **asdict(result))
    for cost in costs:
        record.write("cost", **asdict(cost))
    if options.json:
        rows = {
            "accuracy": [asdict(result) for result in results],
            "cost": [asdict(cost) for cost in costs],
        }
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        show(results, costs)
    if options.write:
        write_accuracy(bundle, results)


if __name__ == "__main__":
    main()
