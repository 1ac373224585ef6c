"""The goals: what was published, what was set, what was reached, and what a picture allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tools.report import published
from tools.report.evaluations import TEACHER, Accuracy
from tools.report.markup import Child, Html, code, heading, joined, missing, note
from tools.report.names import INPUTS, TASKS, TIERS, VISUAL_TIERS, in_order
from tools.report.runs import Runs, TaskRuns
from tools.report.table import Column, table, two_lines, verdict
from tools.report.wording import NO_BREAK, interval, listed, percent, size

Standing = Literal["met", "met, narrowly", "missed, narrowly", "missed"]


@dataclass(frozen=True)
class Reached:
    """One goal and what was reached.

    Attributes:
        protocol: which.
        tier: a tier or "teacher".
        goal: share of right answers that was set.
        accuracy: what was measured; None where it was not.
    """

    protocol: str
    tier: str
    goal: float
    accuracy: Accuracy | None

    @property
    def standing(self) -> Standing | None:
        """Whether the goal is met; narrowly where the interval holds it."""
        return None if self.accuracy is None else standing(self.accuracy, self.goal)


@dataclass(frozen=True)
class Ceiling:
    """What a picture alone allows.

    Attributes:
        share: of right answers.
        shown: the same in words.
        measured: whether it is our teacher's visual branch; otherwise it was measured beforehand.
    """

    share: float
    shown: str
    measured: bool


def standing(accuracy: Accuracy, goal: float) -> Standing:
    """Say whether a goal is met, and whether the interval leaves it open."""
    if accuracy.value >= goal:
        return "met" if accuracy.low >= goal else "met, narrowly"
    return "missed" if accuracy.high < goal else "missed, narrowly"


def reached_goals(runs: Runs) -> list[Reached]:
    """Return every goal of the protocols whose task was run, in the report's order."""
    return [
        Reached(protocol, tier, goal, measured(runs.tasks[protocol], tier, protocol))
        for protocol in in_order(published.GOALS, TASKS)
        if protocol in runs.tasks
        for tier, goal in published.GOALS[protocol].items()
    ]


def measured(task: TaskRuns, tier: str, protocol: str) -> Accuracy | None:
    """Return the accuracy of our tier, or of the teacher; None where it was not measured."""
    if tier.startswith(TEACHER):
        return task.teacher.accuracies.get((tier, protocol)) if task.teacher else None
    evaluation = task.ours.evaluation if task.ours else None
    return evaluation.accuracies.get((tier, protocol)) if evaluation else None


def retention(task: TaskRuns, tier: str, protocol: str) -> float | None:
    """Return a tier's accuracy as a share of our own teacher's; None where one is missing."""
    ours, teacher = measured(task, tier, protocol), measured(task, TEACHER, protocol)
    return ours.value / teacher.value if ours and teacher and teacher.value else None


def ceiling(task: TaskRuns, protocol: str) -> Ceiling | None:
    """Return what a picture alone allows; None where it is no matter."""
    if protocol not in published.CEILINGS:
        return None
    visual = measured(task, "teacher-visual", protocol)
    if visual is not None:
        return Ceiling(visual.value, percent(visual.value), measured=True)
    low, high = published.CEILINGS[protocol]
    return Ceiling(high, interval(low, high, 0), measured=False)


def goals(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    for protocol in in_order(set(TASKS) | set(runs.tasks), TASKS):
        task = runs.tasks.get(protocol)
        if task is not None and (task.teacher or (task.ours and task.ours.evaluation)):
            parts += [heading(protocol, TASKS.get(protocol)), _protocol(task, protocol)]
        else:
            parts.append(missing(code(protocol), ": nothing was evaluated yet."))
    parts.append(_sizes(runs.tasks))
    parts.append(
        note(
            "Accuracy in per cent of the test pairs; retention is its share of the teacher's, in "
            "per cent too. Figures are of the int8 files run in the daemon's own "
            "interpreter (the teacher's file is float32). The 95 % intervals are bootstrapped over "
            "recordings where a tier listens and over pictures where it does not. “Narrowly” "
            "means that the interval holds the goal: another draw of test data might turn the "
            "verdict. The publication's figures come from its own AV-MNIST, whose construction is "
            "not public; they stand here as a mark, not as a ranking."
        )
    )
    return joined(*parts)


def _protocol(task: TaskRuns, protocol: str) -> Html:
    aims: Mapping[str, float] = published.GOALS.get(protocol, {})
    limit = ceiling(task, protocol)
    columns: list[Column | str] = [
        "tier",
        "publication",
        "goal",
        "reached",
        Column("", text=True),
    ]
    if limit is not None:
        columns.append("a picture allows")
    columns += ["retention", "publication", Column("", text=True)]
    rows = []
    for tier in (TEACHER, *TIERS):
        accuracy, aim = measured(task, tier, protocol), aims.get(tier)
        kept = retention(task, tier, protocol) if tier != TEACHER else None
        row: list[Child] = [
            two_lines(tier, INPUTS.get(tier, "float32")),
            percent(published.ACCURACY[tier], 1) if protocol in published.CEILINGS else None,
            None if aim is None else percent(aim, 1),
            "not yet" if accuracy is None else _with_interval(accuracy),
            "" if accuracy is None or aim is None else _judged(standing(accuracy, aim)),
        ]
        if limit is not None:
            row.append(limit.shown if tier in VISUAL_TIERS else "")
        row += [
            None if kept is None else percent(kept, 1),
            percent(published.RETENTION[tier], 1) if tier in published.RETENTION else None,
            "" if kept is None else _kept(task, tier, protocol, kept),
        ]
        rows.append(row)
    caption = f"Accuracy and retention on {protocol}, per cent"
    return joined(table(caption, columns, rows), _about(limit))


def _about(limit: Ceiling | None) -> Html | None:
    if limit is None:
        return None
    source = (
        "the accuracy of our own teacher's visual branch, which is larger"
        if limit.measured
        else "what larger networks reached beforehand; our own teacher's visual branch is not "
        "measured yet"
    )
    return note(
        f"A picture allows about {limit.shown}{NO_BREAK}%: {source}. "
        f"{listed(VISUAL_TIERS).capitalize()} have nothing else to go by."
    )


def _with_interval(accuracy: Accuracy) -> Html:
    return two_lines(percent(accuracy.value), interval(accuracy.low, accuracy.high))


def _judged(word: Standing) -> Html:
    return verdict(word, "good" if word.startswith("met") else "bad")


def _kept(task: TaskRuns, tier: str, protocol: str, kept: float) -> Html:
    if kept > published.RETENTION[tier]:
        return verdict("above", "good")
    limit, teacher = ceiling(task, protocol), measured(task, TEACHER, protocol)
    if (
        tier in VISUAL_TIERS
        and limit is not None
        and teacher is not None
        and limit.share / teacher.value <= published.RETENTION[tier]
    ):
        return verdict("out of a picture's reach", "even")
    return verdict("below", "bad")


def _sizes(tasks: Mapping[str, TaskRuns]) -> Html | None:
    rows: list[list[Child]] = []
    for name, task in tasks.items():
        evaluation = task.ours.evaluation if task.ours else None
        together = evaluation.bytes_of(TIERS) if evaluation else None
        if evaluation is None or together is None:
            continue
        sizes = [evaluation.costs[tier].bytes for tier in TIERS]
        met = together <= published.BUNDLE_BYTES
        rows.append(
            [
                name,
                *(size(each) for each in sizes if each is not None),
                size(together),
                verdict("met" if met else "missed", "good" if met else "bad"),
            ]
        )
    if not rows:
        return None
    goal = f"at most {size(published.BUNDLE_BYTES)}"
    columns: list[Column | str] = ["task", *TIERS, "together", Column(goal, text=True)]
    return joined(heading("Size"), table("Size of the model files", columns, rows))
