"""Train the students of a task by one method, taught by the task's teacher.

    python -m tools.distil --data DIRECTORY --task published --method ra_cmkd

A killed run goes on where it was when the same command is given again.
"""

import argparse
import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from tools.dataset import DatasetError
from tools.methods import METHODS
from tools.methods.method import Method, widths
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.sources import Sources, add_arguments, sources_from
from tools.tasks import Task, add_task_arguments, task_from
from tools.teach import TEACHER_FILE, load_teacher
from tools.training.answers import Answers, ask, load_answers, save_answers
from tools.training.batch import Batch
from tools.training.calibration import calibrate_outputs
from tools.training.checkpoint import CheckpointError
from tools.training.device import device
from tools.training.fit import Group, Plan, Step, Terms, fit
from tools.training.pools import Drawn, Pools, pools
from tools.training.record import Record
from tools.training.saved import save_students
from tools.training.validation import tier_accuracies

ANSWERS_FILE = "answers.pt"

ROUNDS = {"live": 44, "clean": 18, "published": 14, "hard": 14}
"""Rounds of 200 steps of 128 pairs, the same for every method."""

STEPS, BATCH, RATE = 200, 128, 5e-3

SHOWN = 2000
"""Validation pairs that are looked at after every round; calibration takes all."""


@dataclass(frozen=True)
class Lesson:
    """All that students are trained with, whatever the method.

    Attributes:
        train: pictures and sounds.
        answers: what the teacher says about them.
        validation: pictures and sounds that nothing is trained on.
        pairs: the frozen pairing of those.
        warp: whether pictures may be turned and scaled.
    """

    train: Pools
    answers: Answers
    validation: Pools
    pairs: Drawn
    warp: bool


def lesson(task: Task, sources: Sources, directory: Path) -> Lesson:
    """Load the data of a task, and the teacher's answers, which are asked for once.

    Raises:
        FileNotFoundError: there is no teacher yet.
    """
    train = pools([sources.load(protocol, "train") for protocol in task.protocols])
    kept_aside = [sources.load(protocol, "validation") for protocol in task.protocols]
    validation = pools(kept_aside)
    offsets = [0]
    for dataset in kept_aside:
        offsets.append(offsets[-1] + len(dataset.sounds.labels))
    sounds = torch.cat(
        [
            torch.from_numpy(dataset.pairs) + offset
            for dataset, offset in zip(kept_aside, offsets, strict=False)
        ]
    )
    pairs = Drawn(torch.arange(len(validation.shown)), sounds)
    teacher = load_teacher(directory)
    settings: dict[str, object] = {
        "teacher": hashlib.sha256((directory / TEACHER_FILE).read_bytes()).hexdigest(),
        "pictures": len(train.shown),
        "sounds": len(train.said),
    }
    answers = load_answers(directory / ANSWERS_FILE, settings)
    if answers is None:
        answers = ask(teacher, train)
        save_answers(directory / ANSWERS_FILE, answers, settings)
    return Lesson(train, answers, validation, pairs, task.warp)


def some_of(pairs: Drawn, count: int) -> Drawn:
    """Return about `count` pairs, evenly spread."""
    step = max(1, len(pairs.pictures) // count)
    return Drawn(pairs.pictures[::step], pairs.sounds[::step])


def taught_by(method: Method, students: Students, answers: Answers) -> Step:
    """Return the training step: students answer, the method says what that costs."""

    def step(
        batch: Batch, drawn: Drawn, progress: float, generator: torch.Generator
    ) -> Terms:
        taught = answers.take(drawn, batch)
        return method.losses(batch, taught, students.learn(batch), progress, generator)

    return step
