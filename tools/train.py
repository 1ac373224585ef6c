"""Train the students with labels only: two visual branches, one audio branch, calibration.

    python -m tools.train --data DIRECTORY --run runs/avdigits

A killed run goes on where it was when the same command is given again. On few cores, one process
with --threads 1 for each branch (--only) is faster than many threads; the whole command, given
last, puts the branches together.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from tools.dataset import Dataset, ProtocolName
from tools.networks.student import Students
from tools.sources import Sources, add_arguments, sources_from
from tools.training.augment import vary_spectrograms, warp_pictures
from tools.training.branch import Augment, Outputs, Schedule, evaluate_logits, train_branch
from tools.training.calibration import expected_calibration_error, fit_tau
from tools.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from tools.training.losses import NOTHING
from tools.training.mixture import Views, views
from tools.training.record import Record
from tools.training.samples import Samples

STUDENTS_FILE = "students.pt"
PROTOCOLS: tuple[ProtocolName, ...] = ("live", "clean")
"""What the bundle is trained for, and what it must still be able to do."""

SHIFT = 3
"""Columns by which the onset may be early or late."""


Plan = dict[str, Schedule]
"""The schedule of every stage, by its name."""

PLAN: Plan = {
    "visual_14": Schedule(epochs=10, batch=128, rate=5e-3),
    "visual_28": Schedule(epochs=8, batch=128, rate=5e-3),
    "audio": Schedule(epochs=40, batch=128, rate=6e-3),
}
SMOKE_PLAN: Plan = dict.fromkeys(PLAN, Schedule(epochs=2, batch=32, rate=6e-3))


@dataclass(frozen=True)
class Stage:
    """One branch: what goes in, what comes out, how long."""

    name: str
    outputs: Outputs
    train: Samples
    validation: dict[str, Samples]
    augment: Augment
    schedule: Schedule


def stages(
    students: Students, train: Views, validation: dict[str, Views], plan: Plan
) -> list[Stage]:
    """Return the stages in order."""

    def shifted(spectrograms: Tensor, generator: torch.Generator) -> Tensor:
        return vary_spectrograms(spectrograms, SHIFT, generator)

    return [
        Stage(
            "visual_14",
            lambda images: (students.visual_14(images),),
            train.images14,
            {name: some.images14 for name, some in validation.items()},
            warp_pictures,
            plan["visual_14"],
        ),
        Stage(
            "visual_28",
            lambda images: (students.visual_28(images),),
            train.images28,
            {name: some.images28 for name, some in validation.items()},
            warp_pictures,
            plan["visual_28"],
        ),
        Stage(
            "audio",
            students.audio.both,
            train.spectrograms,
            {name: some.spectrograms for name, some in validation.items()},
            shifted,
            plan["audio"],
        ),
    ]


HEADS = {"visual_14": ("14",), "visual_28": ("28",), "audio": ("full", "prefix")}
"""The calibrated outputs of each stage, in the order of its logits."""


def calibrate(students: Students, stage: Stage, record: Record) -> None:
    """Set the `tau` of a stage's outputs from its validation samples of all protocols."""
    for head, name in enumerate(HEADS[stage.name]):
        logits, labels = [], []
        for some in stage.validation.values():
            known = some.labels != NOTHING
            network = students.get_submodule(stage.name)
            logits.append(evaluate_logits(network, stage.outputs, some)[head][known])
            labels.append(some.labels[known])
        scores, wanted = torch.cat(logits), torch.cat(labels)
        tau = fit_tau(scores, wanted)
        students.tau(name).copy_(tau)
        record.write(
            "calibration",
            output=name,
            tau=round(float(tau), 4),
            error_before=round(expected_calibration_error(scores, wanted), 5),
            error_after=round(expected_calibration_error(scores / tau, wanted), 5),
        )


def train(
    sources: Sources, run: Path, plan: Plan, seed: int, only: str | None = None
) -> Students | None:
    """Train, or go on training, in a run's directory.

    Args:
        sources: the data.
        run: the directory.
        plan: how long.
        seed: of weights, order and augmentation; every branch has its own from it.
        only: the one branch to train; None trains all.

    Returns:
        The calibrated students, also written to the directory; None where only one was trained.
    """
    record = Record(run / "train.jsonl")
    record.write(
        "start",
        plan={name: asdict(schedule) for name, schedule in plan.items()},
        seed=seed,
        threads=torch.get_num_threads(),
    )
    learnt = views(*(sources.load(protocol, "train") for protocol in PROTOCOLS))
    kept_aside: dict[str, Dataset] = {
        protocol: sources.load(protocol, "validation") for protocol in PROTOCOLS
    }
    validation = {protocol: views(dataset) for protocol, dataset in kept_aside.items()}
    torch.manual_seed(seed)
    students = Students()
    students.audio.to(memory_format=torch.channels_last)
    students.visual_28.to(memory_format=torch.channels_last)
    students.visual_14.to(memory_format=torch.channels_last)
    for number, stage in enumerate(stages(students, learnt, validation, plan)):
        if only not in (None, stage.name):
            continue
        network = students.get_submodule(stage.name)
        train_branch(
            stage.name,
            network,
            stage.outputs,
            stage.train,
            stage.validation,
            stage.augment,
            stage.schedule,
            seed=1000 * seed + number,
            directory=run / "checkpoints",
            record=record,
        )
        calibrate(students, stage, record)
    if only is not None:
        return None
    save_checkpoint(run / STUDENTS_FILE, {"students": students.state_dict(), "seed": seed})
    weights = (run / STUDENTS_FILE).read_bytes()
    record.write("end", file=STUDENTS_FILE, sha256=hashlib.sha256(weights).hexdigest())
    return students


def load_students(run: Path) -> Students:
    """Read the students that `train` left in a run's directory, in evaluation mode."""
    state = load_checkpoint(run / STUDENTS_FILE)
    if state is None:
        raise FileNotFoundError(f"{run / STUDENTS_FILE}: run `python -m tools.train` first")
    students = Students()
    students.load_state_dict(state["students"])
    return students.eval()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.train", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", choices=list(PLAN), help="one branch, so that others can train beside it"
    )
    options = parser.parse_args(arguments)
    options.run = options.run or Path("runs/avdigits")
    torch.set_num_threads(options.threads)
    plan = SMOKE_PLAN if options.smoke else PLAN
    try:
        train(sources_from(options), options.run, plan, options.seed, options.only)
    except CheckpointError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
