"""What students of a task are trained with, whatever the method."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tools.dataset import Dataset
from tools.sources import Sources
from tools.tasks import Task
from tools.teach import TEACHER_FILE, load_teacher
from tools.training.answers import Answers, ask, load_answers, save_answers
from tools.training.pools import Drawn, Pools, pools

ANSWERS_FILE = "answers.pt"


@dataclass(frozen=True)
class Lesson:
    """All that students are trained with, whatever the method.

    Attributes:
        train: pictures and sounds.
        answers: what the teacher says about them.
        validation: pictures and sounds that nothing is trained on.
        pairs: the frozen pairing of those.
        warp: whether pictures may be turned and scaled.
        labels: number of classes.
        doubt: what calibration leaves to chance.
    """

    train: Pools
    answers: Answers
    validation: Pools
    pairs: Drawn
    warp: bool
    labels: int
    doubt: float = 0.0


def lesson(
    task: Task, sources: Sources, directory: Path, bands: tuple[int, int] | None = None
) -> Lesson:
    """Load the data of a task, and the teacher's answers, which are asked for once.

    Args:
        task: which protocols.
        sources: the data.
        directory: of the task, where the teacher lies.
        bands: the mel bands that the students hear; the teacher hears all.

    Raises:
        FileNotFoundError: there is no teacher yet.
    """
    teacher = load_teacher(directory)  # first: data can take minutes
    train = pools([sources.load(protocol, "train", bands) for protocol in task.protocols])
    kept_aside = [sources.load(protocol, "validation", bands) for protocol in task.protocols]
    validation = pools(kept_aside)
    settings: dict[str, object] = {
        "teacher": hashlib.sha256((directory / TEACHER_FILE).read_bytes()).hexdigest(),
        "pictures": len(train.shown),
        "sounds": len(train.said),
    }
    answers = load_answers(directory / ANSWERS_FILE, settings)
    if answers is None:
        whole = pools([sources.load(protocol, "train") for protocol in task.protocols])
        answers = ask(teacher, whole)
        save_answers(directory / ANSWERS_FILE, answers, settings)
    labels = len(kept_aside[0].labels)
    return Lesson(train, answers, validation, frozen(kept_aside), task.warp, labels, task.doubt)


def frozen(datasets: Sequence[Dataset]) -> Drawn:
    """Return the frozen pairs of data sets whose pools follow one another."""
    sounds, before = [], 0
    for dataset in datasets:
        sounds.append(torch.from_numpy(dataset.pairs) + before)
        before += len(dataset.sounds.labels)
    paired = torch.cat(sounds)
    return Drawn(torch.arange(len(paired)), paired)


def some_of(pairs: Drawn, count: int) -> Drawn:
    """Return about `count` pairs, evenly spread."""
    step = max(1, len(pairs.pictures) // count)
    return Drawn(pairs.pictures[::step], pairs.sounds[::step])
