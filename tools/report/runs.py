"""What lies in the directory of runs, read once for the whole report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.report.answers import Answers, read_answers
from tools.report.evaluations import Evaluation, read_evaluation
from tools.report.names import TASKS, in_order, is_ablation
from tools.report.records import Line, RecordError, read_lines
from tools.report.trainings import Training, read_training

OURS = "ra_cmkd"


@dataclass(frozen=True)
class Run:
    """One method on one task.

    Attributes:
        task: name.
        method: name.
        training: None where there is no record of one.
        evaluation: None where its files were not evaluated yet.
        answers: empty where the evaluation left none.
        precision: rows of `precision.jsonl`.
    """

    task: str
    method: str
    training: Training | None
    evaluation: Evaluation | None
    answers: Answers
    precision: Sequence[Line]

    @property
    def state(self) -> str:
        """How far it is, in a few words."""
        if self.evaluation is not None:
            return "evaluated"
        if self.training is None:
            return "not run"
        if self.training.finished:
            return "trained, not evaluated"
        done, planned = len(self.training.rounds), self.training.planned
        return f"training, round {done}" + (f" of {planned}" if planned else "")


@dataclass(frozen=True)
class TaskRuns:
    """Everything about one task.

    Attributes:
        name: of the task.
        teaching: the teacher's training.
        teacher: its exported file's evaluation.
        runs: by method, in the report's order.
        choice: rows of `choice.jsonl`.
    """

    name: str
    teaching: Training | None
    teacher: Evaluation | None
    runs: Mapping[str, Run]
    choice: Sequence[Line]

    @property
    def ours(self) -> Run | None:
        """The run of RA-CMKD."""
        return self.runs.get(OURS)

    @property
    def baselines(self) -> list[Run]:
        """The runs of other methods."""
        return [run for name, run in self.runs.items() if name != OURS and not is_ablation(name)]

    @property
    def ablations(self) -> list[Run]:
        """The runs of RA-CMKD without one of its parts."""
        return [run for name, run in self.runs.items() if is_ablation(name)]


@dataclass(frozen=True)
class Runs:
    """All runs.

    Attributes:
        root: the directory.
        tasks: by name, in the report's order.
        speakers: rows of `speakers.jsonl`.
        gating: rows of `gating.jsonl` by the name of its directory, a task's or any other.
    """

    root: Path
    tasks: Mapping[str, TaskRuns]
    speakers: Sequence[Line]
    gating: Mapping[str, Sequence[Line]]


def load_runs(root: Path) -> Runs:
    """Read all records below a directory.

    Raises:
        RecordError: there is no run, or a record is damaged.
    """
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    found = {}
    for name in in_order(names, TASKS):
        task = _task(root / name)
        if task is not None:
            found[name] = task
    if not found:
        raise RecordError(
            f"{root}: no runs; `python -m tools.teach` and `python -m tools.distil` make them, "
            "--runs says where they are"
        )
    gating = {name: read_lines(root / name / "gating.jsonl") for name in names}
    return Runs(
        root,
        found,
        read_lines(root / "speakers.jsonl"),
        {name: lines for name, lines in gating.items() if lines},
    )


def _task(directory: Path) -> TaskRuns | None:
    """Read one task; None where a directory is of something else, such as the cache."""
    runs = {}
    for name in in_order([path.name for path in directory.iterdir() if path.is_dir()]):
        run = _run(directory / name, directory.name)
        if run is not None:
            runs[name] = run
    teaching = read_training(directory / "teach.jsonl")
    if teaching is None and not runs:
        return None
    return TaskRuns(
        name=directory.name,
        teaching=teaching,
        teacher=read_evaluation(directory / "teacher.jsonl"),
        runs=runs,
        choice=read_lines(directory / "choice.jsonl"),
    )


def _run(directory: Path, task: str) -> Run | None:
    training = read_training(directory / "distil.jsonl")
    evaluation = read_evaluation(directory / "evaluate.jsonl")
    if training is None and evaluation is None:
        return None
    return Run(
        task=task,
        method=directory.name,
        training=training,
        evaluation=evaluation,
        answers=read_answers(directory / "answers.npz"),
        precision=read_lines(directory / "precision.jsonl"),
    )
