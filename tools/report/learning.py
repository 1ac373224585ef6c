"""Training curves: small panels, one a method, and the terms of the loss."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from tools.report import plot
from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.names import TIERS, in_order, method_name
from tools.report.runs import OURS, Runs, TaskRuns
from tools.report.trainings import Round, Training

_BRANCHES = ("visual", "audio")


def learning(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    for task in runs.tasks.values():
        figures = _figures(task)
        parts.append(heading(task.name))
        parts.append(plot.panels(*figures) if figures else missing("No round is finished yet."))
    tiers = [(plot.SERIES[number], tier) for number, tier in enumerate(TIERS)]
    return joined(
        plot.legend(*tiers),
        *parts,
        note(
            "Students: accuracy on validation pairs after each round, of the networks before int8; "
            "dotted lines part the stages of a training. Teacher: accuracy of each branch by "
            "itself after each epoch."
        ),
    )


def _figures(task: TaskRuns) -> list[Html]:
    figures = []
    if task.teaching is not None and task.teaching.rounds:
        figures.append(_teacher(task.name, task.teaching))
    trained = {
        name: run.training
        for name, run in task.runs.items()
        if run.training is not None and any(each.reached for each in run.training.rounds)
    }
    floor = _floor(trained.values())
    figures += [_students(task.name, name, trained[name], floor) for name in in_order(trained)]
    if OURS in trained:
        figures.append(_terms(task.name, trained[OURS]))
    return figures


def _teacher(task: str, training: Training) -> Html:
    figure, axes = plot.panel(_title("teacher", training))
    said = []
    for number, branch in enumerate(_BRANCHES):
        rounds = [each for each in training.rounds if each.stage == branch and each.reached]
        protocols = dict.fromkeys(name for each in rounds for name in each.reached)
        for style, protocol in zip(("-", "--", ":"), protocols, strict=False):
            points = [
                (each.number, 100.0 * each.reached[protocol])
                for each in rounds
                if protocol in each.reached
            ]
            axes.plot(
                *zip(*points, strict=True),
                color=plot.SERIES[number],
                linestyle=style,
                label=branch if len(protocols) == 1 else f"{branch}, {protocol}",
            )
            said.append(f"{branch} on {protocol} ends at {points[-1][1]:.1f} %")
    plot.name_lines(axes)
    _count(axes, "epoch")
    axes.set_ylabel("accuracy, %")
    return plot.drawn(figure, f"learning-{task}-teacher", "Teacher: " + "; ".join(said))


def _students(task: str, method: str, training: Training, floor: float) -> Html:
    figure, axes = plot.panel(_title(method_name(method), training))
    said = []
    for number, tier in enumerate(TIERS):
        points = [
            (place, 100.0 * each.reached[tier])
            for place, each in enumerate(training.rounds, start=1)
            if tier in each.reached
        ]
        if points:
            axes.plot(*zip(*points, strict=True), color=plot.SERIES[number])
            said.append(f"{tier} ends at {points[-1][1]:.1f} %")
    _part_stages(axes, training.rounds)
    axes.set_ylim(bottom=floor)
    _count(axes, "round")
    axes.set_ylabel("accuracy, %")
    name = f"learning-{task}-{method}"
    return plot.drawn(figure, name, f"{method_name(method)}: {'; '.join(said)}")


def _terms(task: str, training: Training) -> Html:
    figure, axes = plot.panel(f"{method_name(OURS)}: terms of the loss")
    terms = list(dict.fromkeys(term for each in training.rounds for term in each.loss))
    for number, term in enumerate(terms):
        points = [
            (place, each.loss[term])
            for place, each in enumerate(training.rounds, start=1)
            if each.loss.get(term, 0.0) > 0.0
        ]
        if not points:
            continue
        colour = plot.SERIES[number % len(plot.SERIES)]
        axes.plot(*zip(*points, strict=True), color=colour, label=term)
    plot.name_lines(axes, columns=2)
    _part_stages(axes, training.rounds)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    _count(axes, "round")
    axes.set_ylabel("loss")
    return plot.drawn(figure, f"terms-{task}", f"Terms of the loss: {', '.join(terms)}")


def _part_stages(axes: Axes, rounds: Sequence[Round]) -> None:
    for place, (before, after) in enumerate(pairwise(rounds), start=1):
        if before.stage != after.stage:
            axes.axvline(place + 0.5, color=plot.MUTED, linewidth=0.8, linestyle=":")


def _count(axes: Axes, what: str) -> None:
    """Name the horizontal axis, which has whole numbers."""
    axes.set_xlabel(what)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))


def _floor(trainings: Iterable[Training]) -> float:
    """Return where a task's panels begin: first rounds would press all others together."""
    later = [
        100.0 * share
        for training in trainings
        for each in training.rounds[min(2, len(training.rounds) - 1) :]
        for share in each.reached.values()
    ]
    return min(later, default=1.0) - 1.0


def _title(name: str, training: Training) -> str:
    return name if training.finished else f"{name} (not finished)"
