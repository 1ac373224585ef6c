"""The teacher as the students are measured: the accuracy of its file, its bytes, MACs and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.interpreter import Interpreter
from tools.dataset import Dataset
from tools.evaluation.answers import Pairs, model_logits, recordings
from tools.evaluation.interval import bootstrap_interval
from tools.export.graph import read_graph
from tools.export.teacher import lower_teacher
from tools.networks.teacher import Teacher

MODEL_FILE = "teacher.tflite"

SENSES = {"teacher": (), "teacher-visual": ("audio",), "teacher-audio": ("image",)}
"""What the teacher is measured with: the inputs that are taken away."""


@dataclass(frozen=True)
class Standing:
    """The teacher under one protocol.

    Attributes:
        tier: one of `SENSES`, where a student's line has its tier.
        protocol: which.
        samples: pairs of the test split.
        value: share of right answers.
        low: lower end of its 95 % interval, by clip where it listens.
        high: upper end.
    """

    tier: str
    protocol: str
    samples: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class TeacherCost:
    """What the teacher costs.

    Attributes:
        bytes: of the float32 file.
        macs: of one inference.
        parameters: of the network.
    """

    bytes: int
    macs: int
    parameters: int


def export_teacher(teacher: Teacher, directory: Path) -> bytes:
    """Return the teacher's model file; it is written beside the teacher, once for these weights."""
    path = directory / MODEL_FILE
    weights = directory / "teacher.pt"
    if not path.exists() or path.stat().st_mtime_ns < weights.stat().st_mtime_ns:
        path.write_bytes(lower_teacher(teacher))
    return path.read_bytes()


def teacher_cost(teacher: Teacher, model: bytes) -> TeacherCost:
    """Return what the teacher costs, time apart."""
    parameters = sum(some.numel() for some in teacher.parameters())
    return TeacherCost(len(model), read_graph(model).macs, parameters)


def teacher_pairs(dataset: Dataset) -> Pairs:
    """Return the pairs that the teacher is asked: the larger pictures, the whole sounds."""
    pictures, sounds = dataset.pictures, dataset.sounds
    return Pairs(
        pictures.images28,
        sounds.columns[dataset.pairs],
        pictures.labels.astype(np.int64),
        recordings(dataset),
    )


def standings(model: bytes, datasets: Mapping[str, Dataset]) -> list[Standing]:
    """Measure the teacher's file with both inputs and with each alone."""
    interpreter = Interpreter(model, threads=1, name=MODEL_FILE)
    found = []
    for protocol, dataset in datasets.items():
        pairs = teacher_pairs(dataset)
        for sense, without in SENSES.items():
            right = model_logits(interpreter, deprived(pairs, without)).argmax(1) == pairs.labels
            groups = np.arange(len(pairs)) if "audio" in without else pairs.groups
            low, high = bootstrap_interval(right, groups)
            found.append(Standing(sense, protocol, len(pairs), float(right.mean()), low, high))
    interpreter.close()
    return found


def deprived(pairs: Pairs, without: tuple[str, ...]) -> Pairs:
    """Return the pairs with an input all black."""

    def black(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.zeros_like(values)

    assert pairs.sounds is not None
    return Pairs(
        black(pairs.images) if "image" in without else pairs.images,
        black(pairs.sounds) if "audio" in without else pairs.sounds,
        pairs.labels,
        pairs.groups,
    )
