"""The summary: what came out, in sentences made from the numbers."""

from tools.report.contests import contests, having
from tools.report.evaluations import TEACHER
from tools.report.goals import measured, reached_goals
from tools.report.markup import Child, Html, bullets, code, joined, missing
from tools.report.names import TASKS, TIERS, in_order, method_name
from tools.report.reductions import reductions_of
from tools.report.runs import Runs, TaskRuns
from tools.report.wording import counted, listed, percent, size


def summary(runs: Runs) -> Html:
    """Return the section."""
    tasks = runs.tasks.values()
    lines: list[Child] = [_reached(task) for task in tasks]
    lines += [_goals(runs), *(_saved(task) for task in tasks), *(_compared(task) for task in tasks)]
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
    reached = listed([f"{tier} {percent(value, 1)} %" for tier, value in known])
    evaluation = task.ours.evaluation if task.ours else None
    together = evaluation.bytes_of(TIERS) if evaluation else None
    teacher = measured(task, TEACHER, task.name)
    return joined(
        "On ",
        code(task.name),
        f" the int8 students reach {reached}",
        None if together is None else f" from {size(together)} together",
        None if teacher is None else f"; their teacher reaches {percent(teacher.value, 1)} %",
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


def _saved(task: TaskRuns) -> Html | None:
    found = reductions_of(task)
    if not found:
        return None
    saved = listed([f"{percent(each.share, 1)} % of the {each.quantity}" for each in found])
    return joined("High saves ", saved, " of its teacher on ", code(task.name), ".")


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
    losing = [f"{method_name(each.method)} in {each.tier}" for each in losses]
    return joined(
        "On ",
        code(task.name),
        f", compared with {counted(len(rivals), 'baseline')} on the same pairs, RA-CMKD is "
        f"better in {len(wins)} of {counted(len(found), 'comparison')}; in "
        f"{len(found) - len(wins) - len(losses)} no difference is shown",
        f"; it is beaten by {listed(losing)}." if losing else "; no baseline is better.",
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
