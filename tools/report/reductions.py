"""What `high` saves against the teacher: bytes, time, arithmetic."""

from dataclasses import dataclass

from tools.report import published
from tools.report.evaluations import TEACHER, Cost
from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.runs import Runs, TaskRuns
from tools.report.table import table, two_lines, verdict
from tools.report.wording import listed, millions, per_cent, percent, size, time_us

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
        ("bytes", sizes, goal.bytes, size),
        ("time", times, goal.latency, time_us),
        ("multiply-accumulates", macs, goal.flops, millions),
    ):
        if before and after is not None:
            share = 1.0 - after / before
            found.append(Reduction(quantity, words(before), words(after), share, wanted))
    return found


def reductions(runs: Runs) -> Html:
    """Return the section."""
    found = {name: reductions_of(task) for name, task in runs.tasks.items()}
    found = {name: some for name, some in found.items() if some}
    if not found:
        return missing("No bundle of RA-CMKD has been measured against its teacher yet.")
    quantities = list(dict.fromkeys(each.quantity for some in found.values() for each in some))
    goals = {each.quantity: each.published for some in found.values() for each in some}
    rows: list[list[Child]] = [
        ["publication", *(percent(goals[quantity], 1) for quantity in quantities)]
    ]
    for name, some in found.items():
        cells = {each.quantity: _cell(each) for each in some}
        rows.append([name, *(cells.get(quantity, "not yet") for quantity in quantities)])
    return joined(
        table("High against our own teacher, saved in per cent", ["task", *quantities], rows),
        _parameters(runs),
        note(
            "The teacher's file is float32, as it would be used; of the bytes saved a factor of "
            "four is int8 alone. Teacher and students were timed in turn within one run, with one "
            "thread."
        ),
        _reference(runs),
    )


def _cell(reduction: Reduction) -> Html:
    return joined(
        two_lines(percent(reduction.share, 1), f"{reduction.teacher} → {reduction.student}"),
        verdict(*(("met", "good") if reduction.met else ("missed", "bad"))),
    )


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
    for name, task in runs.tasks.items():
        evaluation = task.ours.evaluation if task.ours else None
        cost = evaluation.costs.get("high") if evaluation else None
        if cost is None or cost.bytes is None or cost.macs is None or cost.median_us is None:
            continue
        flops = FLOPS_PER_MAC * cost.macs
        rows.append(
            [
                f"high, {name}",
                two_lines(size(cost.bytes), _less(cost.bytes, teacher.bytes)),
                two_lines(time_us(cost.median_us), _less(cost.median_us, teacher.latency)),
                two_lines(millions(flops), _less(flops, teacher.flops)),
            ]
        )
    if len(rows) == 1:
        return None
    return joined(
        heading("Against the published teacher", "for reference"),
        table("The published teacher and our high", ["", "bytes", "time", "FLOPs"], rows),
        note(
            "These ratios say little: another network, another data set, another machine. They "
            "are here because the publication counts from that teacher; a multiply-accumulate is "
            "taken as two operations."
        ),
    )


def _less(ours: float, theirs: float) -> str:
    return f"{per_cent(1.0 - ours / theirs, 2)} less"


def _first(one: Cost | None, other: Cost | None, quantity: str) -> float | None:
    """Return a quantity of the first cost that has it."""
    for cost in (one, other):
        value = getattr(cost, quantity, None)
        if value is not None:
            return float(value)
    return None
