"""Train the teacher of a task: a strong branch a modality, each calibrated.

    python -m tools.teach --data DIRECTORY --task published

A killed run goes on where it was when the same command is given again. With --only two processes
can train one branch each; the whole command, given last, puts the branches together.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from tools.dataset import DatasetError
from tools.networks.teacher import Teacher
from tools.sources import Sources, add_arguments, sources_from
from tools.tasks import Task, add_task_arguments, task_from
from tools.training.augment import vary_spectrograms, warp_pictures
from tools.training.branch import Augment, Outputs, Schedule, evaluate_logits, train_branch
from tools.training.calibration import expected_calibration_error, fit_tau
from tools.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from tools.training.device import device
from tools.training.losses import NOTHING
from tools.training.pools import SHIFT, Pools, pools
from tools.training.record import Record
from tools.training.samples import Samples, joined

TEACHER_FILE = "teacher.pt"
BRANCHES = ("visual", "audio")

STEPS: dict[str, dict[str, int]] = {
    "live": {"visual": 5200, "audio": 2400},
    "clean": {"visual": 3200, "audio": 1500},
    "published": {"visual": 1200, "audio": 2600},
    "hard": {"visual": 1200, "audio": 2600},
    "own": {"visual": 300, "audio": 300},
}
"""Steps of 128 samples for each branch; pictures of six components are learnt soon."""

SMOKE_STEPS = {"visual": 40, "audio": 40}
RATE = 4e-3


def schedule(steps: int, samples: int, batch: int) -> Schedule:
    """Return whole passes over the samples that come nearest to a number of steps."""
    return Schedule(max(1, round(steps / (samples // batch))), batch, RATE)


def as_they_are(inputs: Tensor, _: torch.Generator) -> Tensor:
    """Vary nothing."""
    return inputs


def vary_sounds(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Vary gain, onset and what is masked."""
    return vary_spectrograms(inputs, SHIFT, generator)


def branch_samples(some: Pools, branch: str) -> Samples:
    """Return what a branch of the teacher is given."""
    return some.images28 if branch == "visual" else some.sounds


def logits_of(network: nn.Module) -> Outputs:
    """Return a branch as a function to its one output."""
    return lambda inputs: (network(inputs),)


def teach(
    task: Task,
    sources: Sources,
    run: Path,
    seed: int = 0,
    only: str | None = None,
    smoke: bool = False,
) -> Teacher | None:
    """Train, or go on training, the teacher of a task.

    Args:
        task: what for.
        sources: the data.
        run: the task's directory.
        seed: of weights, order and augmentation; each branch has its own from it.
        only: the one branch to train; None trains both.
        smoke: a few steps only, enough for generated data.

    Returns:
        The calibrated teacher, also written to the directory; None where one branch was trained.
    """
    record = Record(run / "teach.jsonl")
    sets = [sources.load(protocol, "train") for protocol in task.protocols]
    labels = len(sets[0].labels)
    train = pools(sets)
    validation = {
        protocol: pools([sources.load(protocol, "validation")]) for protocol in task.protocols
    }
    torch.manual_seed(seed)
    teacher = Teacher(labels=labels).to(device()).to(memory_format=torch.channels_last)
    record.write("start", task=task.name, seed=seed, threads=torch.get_num_threads())
    augment: dict[str, Augment] = {
        "visual": warp_pictures if task.warp else as_they_are,
        "audio": vary_sounds,
    }
    steps = SMOKE_STEPS if smoke else STEPS[task.name]
    for number, branch in enumerate(BRANCHES):
        if only not in (None, branch):
            continue
        network = teacher.get_submodule(branch)
        samples = branch_samples(train, branch)
        plan = schedule(steps[branch], len(samples), min(32 if smoke else 128, len(samples)))
        kept_aside: dict[str, Samples] = {
            name: branch_samples(some, branch) for name, some in validation.items()
        }
        train_branch(
            branch,
            network,
            logits_of(network),
            samples,
            kept_aside,
            augment[branch],
            plan,
            seed=1000 * seed + number,
            directory=run / "checkpoints",
            record=record,
        )
        tau, before, after = calibrate(network, joined(*kept_aside.values()), task.doubt)
        teacher.get_buffer(f"tau_{branch}").fill_(tau)
        record.write("calibration", branch=branch, tau=tau, error_before=before, error_after=after)
    if only is not None:
        return None
    weights = {name: value.cpu() for name, value in teacher.state_dict().items()}
    save_checkpoint(run / TEACHER_FILE, {"teacher": weights, "labels": labels, "seed": seed})
    record.write("end", file=TEACHER_FILE)
    return teacher.eval()


def calibrate(
    network: nn.Module, validation: Samples, doubt: float = 0.0
) -> tuple[float, float, float]:
    """Return a branch's `tau`, and its calibration error without and with it."""
    known = validation.labels != NOTHING
    (logits,) = evaluate_logits(network, logits_of(network), validation)
    logits, labels = logits[known], validation.labels[known]
    tau = fit_tau(logits, labels, doubt)
    before, after = (expected_calibration_error(some, labels) for some in (logits, logits / tau))
    return round(float(tau), 5), round(before, 5), round(after, 5)


def load_teacher(run: Path) -> Teacher:
    """Read the teacher that `teach` left in a task's directory, in evaluation mode.

    Raises:
        FileNotFoundError: there is none; the text says how to make one.
    """
    state = load_checkpoint(run / TEACHER_FILE)
    if state is None:
        raise FileNotFoundError(f"{run / TEACHER_FILE}: run `python -m tools.teach` first")
    teacher = Teacher(labels=state["labels"])
    teacher.load_state_dict(state["teacher"])
    return teacher.to(device()).to(memory_format=torch.channels_last).eval()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.teach", description=__doc__)
    add_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument("--only", choices=BRANCHES, help="one branch, so that two train at once")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        task, run = task_from(options)
        teach(task, sources_from(options), run, options.seed, options.only, options.smoke)
    except (CheckpointError, DatasetError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
