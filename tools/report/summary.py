"""The summary: what came out, in sentences made from the numbers."""

from collections.abc import Sequence

from tools.report.contests import contests, having
from tools.report.evaluations import TEACHER
from tools.report.goals import measured, reached_goals
from tools.report.markup import Child, Html, bullets, code, joined, missing
from tools.report.names import TASKS, TIERS, in_order, method_name
from tools.report.reductions import reductions_of
from tools.report.runs import Runs, TaskRuns
from tools.report.wording import counted, listed, per_cent, per_cent_range, size


def summary(runs: Runs) -> Html:
    """Return the section."""
    tasks = list(runs.tasks.values())
    lines: list[Child] = [_reached(task) for task in tasks]
    lines += [_goals(runs), _saved(tasks), *(_compared(task) for task in tasks)]
    said = [line for line in lines if line is not None]
    return joined(
        bullets(*said) if said else missing("No student has been evaluated yet."),
        _unfinished(runs),
    )


def _reached(task: TaskRuns) -> Html | None:
    known = [
        (tier, accuracy.value)
        for tier in TIERS
        if (accuracy := measured(task, tier, task.name)) is not None
    ]
    if not known:
        return None
    reached = listed([f"{tier} {per_cent(value)}" for tier, value in known])
    evaluation = task.ours.evaluation if task.ours else None
    together = evaluation.bytes_of(TIERS) if evaluation else None
    teacher = measured(task, TEACHER, task.name)
    return joined(
        "On ",
        code(task.name),
        f" the int8 students reach {reached}",
        None if together is None else f" from {size(together)} together",
        None if teacher is None else f"; their teacher reaches {per_cent(teacher.value)}",
        ".",
    )


def _goals(runs: Runs) -> str | None:
    known = [goal for goal in reached_goals(runs) if goal.standing is not None]
    if not known:
        return None
    missed = [
        f"{goal.tier} on {goal.protocol}" + (" narrowly" if goal.standing != "missed" else "")
        for goal in known
        if goal.standing in ("missed", "missed, narrowly")
    ]
    met = len(known) - len(missed)
    tail = f" Missed: {listed(missed)}." if missed else ""
    return f"{met} of {counted(len(known), 'goal')} on accuracy are met.{tail}"


def _saved(tasks: Sequence[TaskRuns]) -> str | None:
    shares: dict[str, list[float]] = {}
    counted_tasks = 0
    for task in tasks:
        found = reductions_of(task)
        counted_tasks += bool(found)
        for each in found:
            shares.setdefault(each.quantity, []).append(each.share)
    if not shares:
        return None
    saved = listed([f"{per_cent_range(some)} of {name}" for name, some in shares.items()])
    where = f" over {counted(counted_tasks, 'task')}" if counted_tasks > 1 else ""
    return f"Against its teacher, high saves {saved}{where}."


def _compared(task: TaskRuns) -> Html | None:
    found = [
        contest
        for contest in contests(task, task.name, task.baselines)
        if contest.difference is not None
    ]
    if not found:
        return None
    wins, losses = having(found, "worse"), having(found, "better")
    rivals = dict.fromkeys(contest.method for contest in found)
    lost: dict[str, list[str]] = {}
    for contest in losses:
        lost.setdefault(contest.method, []).append(contest.tier)
    beaten = [f"{method_name(method)} in {listed(tiers)}" for method, tiers in lost.items()]
    return joined(
        "On ",
        code(task.name),
        f" RA-CMKD is better in {len(wins)} of {counted(len(found), 'comparison')} with "
        f"{counted(len(rivals), 'baseline')}, and in {len(found) - len(wins) - len(losses)} no "
        "difference is shown",
        f"; it is beaten by {'; by '.join(beaten)}." if beaten else "; no baseline is better.",
    )


def _unfinished(runs: Runs) -> Html | None:
    """Say what the page does not have yet, so that nobody reads it as the whole."""
    absent = [name for name in in_order(TASKS, TASKS) if name not in runs.tasks]
    waiting = [
        f"{task.name}: {method_name(run.method)} ({run.state})"
        for task in runs.tasks.values()
        for run in task.runs.values()
        if run.state != "evaluated"
    ]
    waiting += [
        f"{task.name}: teacher (training)"
        for task in runs.tasks.values()
        if task.teaching is not None and not task.teaching.finished
    ]
    lines: list[Child] = []
    if absent:
        lines.append(f"Tasks not begun: {listed(absent)}.")
    if waiting:
        lines.append(f"Not finished: {listed(waiting)}.")
    if not lines:
        return None
    return missing("This page is not complete. ", " ".join(str(line) for line in lines))
