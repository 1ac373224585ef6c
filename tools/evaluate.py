"""Evaluate a bundle: accuracy of the files themselves, against network and teacher; size; time.

    python -m tools.evaluate --data DIRECTORY --task live --bundle models/avdigits --write

Every model is run in the daemon's own interpreter on every test pair. The teacher, exported too,
is timed in the same run. With --write, the accuracy goes into the bundle's manifest.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_daemon.inference.bundle import Bundle, BundleError, load_bundle, write_bundle
from edge_daemon.inference.interpreter import Interpreter, runtime_version
from edge_daemon.inference.manifest import Accuracy
from edge_daemon.tier import TIERS
from tools.dataset import Dataset, DatasetError
from tools.evaluation.answers import pairs_for
from tools.evaluation.tables import show
from tools.evaluation.teacher import (
    Standing,
    TeacherCost,
    export_teacher,
    standings,
    teacher_cost,
)
from tools.evaluation.tiers import Cost, Result, evaluate_tier, measure_cost
from tools.evaluation.timing import Time, times
from tools.networks.student import Students
from tools.sources import Sources, add_arguments, sources_from
from tools.tasks import Task, add_task_arguments, task_from
from tools.teach import TEACHER_FILE, load_teacher
from tools.training.progress import Progress
from tools.training.record import Record
from tools.training.saved import load_students

ANSWERS_FILE = "answers.npz"


@dataclass(frozen=True)
class Evaluation:
    """All that was found.

    Attributes:
        results: accuracy of every tier under every protocol.
        costs: of every tier.
        times: of every tier, and of the teacher where there is one.
        answers: what the files answered, with what was to be answered and the clips or pictures
            by which a bootstrap must draw; arrays by name.
    """

    results: list[Result]
    costs: list[Cost]
    times: list[Time]
    answers: dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class TeacherEvaluation:
    """What was found of the teacher.

    Attributes:
        cost: its bytes, MACs and parameters.
        standings: its accuracy, and that of each branch alone.
        model: its file.
    """

    cost: TeacherCost
    standings: list[Standing]
    model: bytes


def evaluate(
    bundle: Bundle, students: Students, datasets: dict[str, Dataset], teacher: bytes | None
) -> Evaluation:
    """Evaluate all tiers under all protocols, with one thread."""
    total = len(TIERS) * sum(len(dataset.pictures.labels) for dataset in datasets.values())
    found = Evaluation([], [], [], {})
    models = {str(tier): bundle.read_model(tier) for tier in reversed(TIERS)}
    found.times.extend(times(models if teacher is None else models | {"teacher": teacher}))
    with Progress("evaluate", total) as progress:
        for tier in reversed(TIERS):
            interpreter = Interpreter(models[tier], threads=1, name=str(tier))
            found.costs.append(measure_cost(bundle, tier, interpreter))
            for protocol, dataset in datasets.items():
                pairs = pairs_for(bundle.tiers[tier], dataset)
                result, answers = evaluate_tier(
                    tier, protocol, interpreter, students.tier(tier), pairs, progress
                )
                found.results.append(result)
                found.answers[f"{tier}_{protocol}"] = answers
                found.answers[f"groups_{tier}_{protocol}"] = pairs.groups
                found.answers[f"labels_{protocol}"] = pairs.labels
            interpreter.close()
    return found


def evaluate_teacher(directory: Path, datasets: dict[str, Dataset]) -> TeacherEvaluation | None:
    """Export and evaluate the teacher of a task; None where it has none."""
    if not (directory / TEACHER_FILE).exists():
        return None
    teacher = load_teacher(directory)
    model = export_teacher(teacher, directory)
    return TeacherEvaluation(teacher_cost(teacher, model), standings(model, datasets), model)


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


def record_all(run: Path, bundle: Bundle, found: Evaluation) -> None:
    """Append what was found to the run's record, and keep the answers beside it."""
    record = Record(run / "evaluate.jsonl")
    record.write("bundle", name=bundle.name, version=bundle.version, runtime=runtime_version())
    taken = {time.tier: time for time in found.times}
    for result in found.results:
        record.write("accuracy", **asdict(result))
    for cost in found.costs:
        time = taken[cost.tier]
        spent = {"median_us": time.median_us, "late_us": time.late_us}
        record.write("cost", **asdict(cost), **spent)
    if "teacher" in taken:
        record.write("teacher", **asdict(taken["teacher"]))
    np.savez_compressed(run / ANSWERS_FILE, allow_pickle=False, **found.answers)


def record_teacher(directory: Path, found: TeacherEvaluation) -> None:
    """Append what was found of the teacher to its record."""
    record = Record(directory / "teacher.jsonl")
    record.write("cost", tier="teacher", **asdict(found.cost))
    for standing in found.standings:
        record.write("accuracy", **asdict(standing))


def datasets_of(
    task: Task, sources: Sources, bands: tuple[int, int] | None = None
) -> dict[str, Dataset]:
    """Return the test split of every protocol of a task, as heard with some or all mel bands."""
    return {protocol: sources.load(protocol, "test", bands) for protocol in task.protocols}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate", description=__doc__)
    add_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument("--method", default="ra_cmkd", help="whose students, in RUN/METHOD")
    parser.add_argument("--bundle", type=Path, help="its directory, by default RUN/METHOD/bundle")
    parser.add_argument("--write", action="store_true", help="accuracy into the manifest")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        task, directory = task_from(options)
        run = directory / options.method
        students = load_students(run)
        bundle = load_bundle(options.bundle or run / "bundle")
        sources = sources_from(options)
        datasets = datasets_of(task, sources, students.shape.bands)
        teacher = evaluate_teacher(directory, datasets_of(task, sources))
    except (BundleError, DatasetError, FileNotFoundError) as error:
        parser.exit(1, f"{error}\n")
    found = evaluate(bundle, students, datasets, None if teacher is None else teacher.model)
    record_all(run, bundle, found)
    if teacher is not None:
        record_teacher(directory, teacher)
    if options.json:
        rows = {
            "accuracy": [asdict(result) for result in found.results],
            "cost": [asdict(cost) for cost in found.costs],
            "time": [asdict(time) for time in found.times],
        }
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        show(found.results, found.costs, found.times, None if teacher is None else teacher.cost)
    if options.write:
        write_accuracy(bundle, found.results)


if __name__ == "__main__":
    main()
