"""What a teacher and its students are trained for: which protocols, and what may be varied."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tools.dataset import DatasetError, ProtocolName


@dataclass(frozen=True)
class Task:
    """One purpose.

    Attributes:
        name: of the run's directory.
        protocols: what is trained on, validated on and tested on, all together.
        warp: whether pictures are turned, sheared and scaled in training. Pictures that are made
            of a few principal components must not be: a turned one lies outside their span.
        doubt: what calibration leaves to chance: more where validation samples are few.
    """

    name: str
    protocols: tuple[ProtocolName, ...]
    warp: bool
    doubt: float = 0.0


TASKS: dict[str, Task] = {
    "live": Task("live", ("live", "clean"), warp=True),
    "clean": Task("clean", ("clean",), warp=True),
    "published": Task("published", ("published",), warp=False),
    "hard": Task("hard", ("hard",), warp=False),
    "own": Task("own", ("own",), warp=True, doubt=0.05),
}
"""`live` is what the shipped bundle is trained for; it must still be able to do `clean`. `own` is
that of a user's own files."""


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what for, and with which seed."""
    parser.add_argument(
        "--task", choices=list(TASKS), help="what to train for; default: live, with --csv own"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")


def task_from(options: argparse.Namespace) -> tuple[Task, Path]:
    """Return the task that the options name, and its directory, never a real one for smoke.

    Raises:
        DatasetError: the task is for other data.
    """
    task = TASKS[options.task or ("live" if options.csv is None else "own")]
    if options.csv is not None and task.name != "own":
        raise DatasetError(f"--task {task.name}: is for --data; leave it out with --csv")
    if options.data is not None and task.name == "own":
        raise DatasetError("--task own: is for --csv; name another task with --data")
    return task, options.run or Path("runs") / ("smoke" if options.smoke else task.name)
