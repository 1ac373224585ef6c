"""What `high` saves against the teacher: bytes, time, arithmetic."""

from dataclasses import dataclass

from tools.report import published
from tools.report.evaluations import TEACHER, Cost
from tools.report.markup import Child, Html, heading, joined, missing, note, paragraph
from tools.report.names import TASKS
from tools.report.runs import Runs, TaskRuns
from tools.report.table import Column, table, verdict
from tools.report.wording import listed, millions, percent, size, time_us

FLOPS_PER_MAC = 2
"""A multiplication and an addition."""


@dataclass(frozen=True)
class Reduction:
    """One quantity of `high` against our teacher.

    Attributes:
        quantity: its name.
        teacher: the teacher's, in words.
        student: that of `high`.
        share: by which it fell.
        published: by which the publication's fell.
    """

    quantity: str
    teacher: str
    student: str
    share: float
    published: float

    @property
    def met(self) -> bool:
        """Whether it fell by as much as the publication says."""
        return self.share >= self.published


def reductions_of(task: TaskRuns) -> list[Reduction]:
    """Return what `high` saves, as far as both were measured; time only if in one run."""
    if task.ours is None or task.ours.evaluation is None:
        return []
    student = task.ours.evaluation.costs.get("high")
    timed = task.ours.evaluation.costs.get(TEACHER)
    alone = task.teacher.costs.get(TEACHER) if task.teacher else None
    if student is None:
        return []
    sizes = (_first(timed, alone, "bytes"), student.bytes)
    times = (timed.median_us if timed else None, student.median_us)
    macs = (_first(timed, alone, "macs"), student.macs)
    found = []
    goal = published.REDUCTION
    for quantity, (before, after), wanted, words in (
        ("bytes of the file", sizes, goal.bytes, size),
        ("time of an inference, median", times, goal.latency, time_us),
        ("multiply-accumulates", macs, goal.flops, millions),
    ):
        if before and after is not None:
            share = 1.0 - after / before
            found.append(Reduction(quantity, words(before), words(after), share, wanted))
    return found


def reductions(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    shown = False
    for task in runs.tasks.values():
        found = reductions_of(task)
        if not found:
            continue
        shown = True
        rows = [
            [
                each.quantity,
                each.teacher,
                each.student,
                percent(each.share, 1),
                percent(each.published, 1),
                verdict("met" if each.met else "missed", "good" if each.met else "bad"),
            ]
            for each in found
        ]
        columns: list[Column | str] = ["", "teacher", "high", "saved %", "published %"]
        parts.append(heading(task.name, TASKS.get(task.name)))
        caption = f"High against our teacher, {task.name}"
        parts.append(table(caption, [*columns, Column("", text=True)], rows))
        if len(found) < 3:
            parts.append(missing("Not measured yet: the rest of bytes, time in one run, MACs."))
    if not shown:
        return missing("No bundle of RA-CMKD has been measured against its teacher yet.")
    parts.append(_parameters(runs))
    parts.append(
        note(
            "The teacher's file is float32, as it would be used; of the bytes saved a factor of "
            "four is int8 alone. It was made no larger than its accuracy needs: an inflated "
            "teacher would flatter every line. Both files were timed in turn within one run, with "
            "one thread."
        )
    )
    parts.append(_reference(runs))
    return joined(*parts)


def _parameters(runs: Runs) -> Html | None:
    """Say how large the teachers are: a small one makes every ratio harder."""
    known = [
        f"{name} {millions(cost.parameters)}"
        for name, task in runs.tasks.items()
        if task.teacher and (cost := task.teacher.costs.get(TEACHER)) and cost.parameters
    ]
    return note(f"Parameters of the teachers: {listed(known)}.") if known else None


def _reference(runs: Runs) -> Html | None:
    """The published teacher's figures beside our `high`, for reference alone."""
    teacher = published.TEACHER
    rows: list[list[Child]] = [
        [
            "published teacher",
            size(teacher.bytes),
            time_us(teacher.latency),
            millions(teacher.flops),
        ]
    ]
    for task in runs.tasks.values():
        evaluation = task.ours.evaluation if task.ours else None
        cost = evaluation.costs.get("high") if evaluation else None
        if cost is None or cost.bytes is None or cost.macs is None or cost.median_us is None:
            continue
        flops = FLOPS_PER_MAC * cost.macs
        rows.append([f"our high, {task.name}"])
        rows[-1] += [size(cost.bytes), time_us(cost.median_us), millions(flops)]
        rows.append(["saved %"])
        rows[-1] += [
            percent(1.0 - cost.bytes / teacher.bytes, 2),
            percent(1.0 - cost.median_us / teacher.latency, 2),
            percent(1.0 - flops / teacher.flops, 2),
        ]
    if len(rows) == 1:
        return None
    return joined(
        heading("Against the published teacher", "for reference"),
        table("The published teacher's figures", ["", "bytes", "latency", "FLOPs"], rows),
        paragraph(
            "These ratios say little: another network, another data set, another machine. They "
            "are here because the publication counts from that teacher; a multiply-accumulate is "
            "taken as two operations.",
            class_="note",
        ),
    )


def _first(one: Cost | None, other: Cost | None, quantity: str) -> float | None:
    """Return a quantity of the first cost that has it."""
    for cost in (one, other):
        value = getattr(cost, quantity, None)
        if value is not None:
            return float(value)
    return None
