"""Choose a model for every tier among several bundles: accuracy against time, within budgets.

    python -m tools.choose --data DIRECTORY --task live BUNDLE BUNDLE...

A tier's models are timed beside each other, in one interleaved run, and run on the validation
split. The score is ACC · (LAT / TAR)^w with w < 0; what exceeds a budget is refused, whatever its
score. The figures and the choice are added to `choice.jsonl` in the run's directory.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edge_daemon.inference.bundle import Bundle, BundleError, load_bundle
from edge_daemon.inference.interpreter import Interpreter, runtime_version
from edge_daemon.tier import TIERS, Tier
from tools.choice.candidate import Candidate, front
from tools.choice.choose import Choice, ChoiceError, choose_together
from tools.choice.score import W
from tools.compression.budgets import Budgets
from tools.dataset import Dataset, DatasetError
from tools.evaluation.answers import model_logits, pairs_for
from tools.evaluation.interval import bootstrap_interval
from tools.evaluation.latency import RUNS, interleaved_us
from tools.sources import add_arguments, sources_from
from tools.tasks import add_task_arguments, task_from
from tools.training.progress import Progress
from tools.training.record import Record

Hear = Callable[[tuple[int, int] | None], Dataset]
"""Returns the validation split as heard with some mel bands, or with all."""


def measure(
    bundles: Mapping[str, Bundle], tier: Tier, hear: Hear, record: Record
) -> list[Candidate]:
    """Run and time every bundle's model of a tier, each figure recorded."""
    interpreters = [
        Interpreter(bundle.read_model(tier), threads=1, name=f"{name}, {tier}")
        for name, bundle in bundles.items()
    ]
    times = interleaved_us(interpreters, RUNS)
    found = []
    for (name, bundle), interpreter, (median_us, late_us) in zip(
        bundles.items(), interpreters, times, strict=True
    ):
        spec = bundle.tiers[tier]
        audio = spec.inputs.audio
        pairs = pairs_for(spec, hear(None if audio is None else audio.band_slice))
        right = model_logits(interpreter, pairs).argmax(1) == pairs.labels
        low, high = bootstrap_interval(right, pairs.groups)
        candidate = Candidate(name, float(right.mean()), median_us, spec.bytes, spec.macs)
        record.write(
            "candidate",
            tier=tier,
            **asdict(candidate),
            late_us=late_us,
            low=low,
            high=high,
            samples=len(pairs),
        )
        found.append(candidate)
        interpreter.close()
    return found


def check_labels(bundles: Mapping[str, Bundle], kept_aside: Dataset) -> None:
    """Refuse bundles that answer another question than the data ask.

    Raises:
        ChoiceError: naming the first one.
    """
    for name, bundle in bundles.items():
        if bundle.labels != kept_aside.labels:
            raise ChoiceError(
                f"{name}: labels are {', '.join(bundle.labels)}, those of the data "
                f"{', '.join(kept_aside.labels)}; leave it out or choose with its data"
            )


def show(tier: Tier, candidates: Sequence[Candidate], choice: Choice, target_us: float) -> None:
    """Print one tier's table; the Pareto front of accuracy, time and bytes is marked."""
    unbeaten = front(candidates)
    table = Table(
        "",
        "bundle",
        "accuracy %",
        "µs",
        "bytes",
        "MACs",
        "score",
        "front",
        "verdict",
        title=f"{tier}, aimed at {target_us:.0f} µs",
    )
    for some in candidates:
        best = some is choice.best
        table.add_row(
            "*" if best else "",
            some.name,
            f"{100 * some.accuracy:.2f}",
            f"{some.latency_us:.1f}",
            f"{some.bytes:,}",
            f"{some.macs:,}",
            f"{choice.scores[some.name]:.4f}",
            "yes" if some in unbeaten else "",
            "chosen" if best else choice.reasons[some.name],
        )
    Console(width=120).print(table)


def by_tier(text: str) -> tuple[Tier, float]:
    """Parse TIER=NUMBER."""
    name, _, number = text.partition("=")
    if name not in list(TIERS):
        raise argparse.ArgumentTypeError(f"{text}: {name} is not one of {', '.join(TIERS)}")
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not value > 0.0:
        raise argparse.ArgumentTypeError(f"{text}: must be TIER=NUMBER with a number above 0")
    return Tier(name), value


def below_zero(text: str) -> float:
    """Parse the exponent of the time."""
    value = float(text)
    if not value < 0.0:
        raise argparse.ArgumentTypeError(f"{text} would reward slow models; must be below 0")
    return value


def budgets_from(options: argparse.Namespace) -> Budgets:
    """Return the default budgets with what the options change."""
    budgets = Budgets()
    tiers = dict(budgets.tiers)
    for tier, most in options.bytes:
        tiers[tier] = replace(tiers[tier], bytes=int(most))
    for tier, most in options.macs:
        tiers[tier] = replace(tiers[tier], macs=int(most))
    for tier, most_us in options.latency:
        tiers[tier] = replace(tiers[tier], latency_us=most_us)
    return Budgets(tiers, options.total or budgets.bytes)


def parse(arguments: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Return the parser, for its errors, and the options."""
    parser = argparse.ArgumentParser(prog="python -m tools.choose", description=__doc__)
    add_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument("bundles", type=Path, nargs="+", help="directories of bundles")
    parser.add_argument("--w", type=below_zero, default=W, help="exponent of the time, below 0")
    limits: dict[str, Any] = {"type": by_tier, "action": "append", "default": []}
    parser.add_argument(
        "--target", **limits, help="TIER=µs aimed at; by default the first bundle's time"
    )
    parser.add_argument("--bytes", **limits, help="TIER=most bytes of its file")
    parser.add_argument("--macs", **limits, help="TIER=most multiply-accumulates")
    parser.add_argument("--latency", **limits, help="TIER=most µs")
    parser.add_argument("--total", type=int, help="most bytes of all files together")
    return parser, parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser, options = parse(arguments)
    try:
        task, run = task_from(options)
        bundles = {str(path): load_bundle(path) for path in options.bundles}
        sources = sources_from(options)

        @cache
        def hear(bands: tuple[int, int] | None) -> Dataset:
            return sources.load(task.protocols[0], "validation", bands)

        check_labels(bundles, hear(None))
        record = Record(run / "choice.jsonl")
        record.write("start", task=task.name, runtime=runtime_version(), w=options.w)
        candidates = {}
        with Progress("choose", len(TIERS)) as progress:
            for tier in TIERS:
                candidates[tier] = measure(bundles, tier, hear, record)
                progress.advance(note=str(tier))
        targets_us = {tier: some[0].latency_us for tier, some in candidates.items()}
        targets_us |= dict(options.target)
        choices = choose_together(candidates, budgets_from(options), targets_us, options.w)
    except (BundleError, ChoiceError, DatasetError) as error:
        parser.exit(1, f"{error}\n")
    for tier, choice in choices.items():
        show(tier, candidates[tier], choice, targets_us[tier])
        record.write(
            "choice",
            tier=tier,
            target_us=targets_us[tier],
            best=choice.best.name,
            scores=choice.scores,
            reasons=choice.reasons,
            front=[some.name for some in front(candidates[tier])],
        )


if __name__ == "__main__":
    main()
