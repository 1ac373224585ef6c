"""How it was made: how far every run is, with what, from which seed, in what time."""

from collections.abc import Mapping, Sequence

from tools.report.markup import Child, Html, code, element, heading, joined, note
from tools.report.names import TASKS, in_order, method_name
from tools.report.runs import Runs
from tools.report.table import Column, table
from tools.report.trainings import Training
from tools.report.wording import duration

COMMANDS = (
    "python -m tools.teach    --data DATA --task TASK",
    "python -m tools.distil   --data DATA --task TASK --method METHOD",
    "python -m tools.convert  --data DATA --task TASK --method METHOD",
    "python -m tools.evaluate --data DATA --task TASK --method METHOD",
    "python -m tools.report   --runs RUNS --out REPORT",
)


def making(runs: Runs, machine: Mapping[str, str]) -> Html:
    """Return the section.

    Args:
        runs: all.
        machine: what this page was put together with, by name.
    """
    rows: list[list[Child]] = []
    for task in runs.tasks.values():
        if task.teaching is not None:
            state = "trained" if task.teaching.finished else "training"
            rows.append([task.name, "teacher", state, *_facts(task.teaching)])
        rows += [
            [task.name, method_name(run.method), run.state, *_facts(run.training)]
            for run in task.runs.values()
        ]
    columns: list[Column | str] = ["task", Column("method", text=True), Column("state", text=True)]
    columns += ["seed", "rounds", "time", Column("last record", text=True)]
    runtimes = sorted(
        {
            run.evaluation.runtime
            for task in runs.tasks.values()
            for run in task.runs.values()
            if run.evaluation is not None and run.evaluation.runtime
        }
    )
    facts = dict(machine)
    if runtimes:
        facts["interpreter of the evaluations"] = ", ".join(runtimes)
    absent = [code(name) for name in in_order(TASKS, TASKS) if name not in runs.tasks]
    return joined(
        element("pre", "\n".join(COMMANDS)),
        table("State of every run", columns, rows),
        note("Not run at all: ", joined(*_between(absent)), ".") if absent else None,
        heading("Where this page was put together"),
        element(
            "dl",
            *(joined(element("dt", name), element("dd", value)) for name, value in facts.items()),
            class_="facts",
        ),
    )


def _facts(training: Training | None) -> list[Child]:
    if training is None:
        return [None, None, None, None]
    seed = training.started.get("seed")
    return [
        None if seed is None else str(seed),
        str(len(training.rounds)),
        duration(training.seconds),
        training.ended.replace("T", " ").removesuffix("+00:00"),
    ]


def _between(words: Sequence[Html]) -> Sequence[Child]:
    return [piece for word in words for piece in (", ", word)][1:]
