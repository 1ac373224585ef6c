"""Accuracy against latency and against bytes: every method and tier, with the Pareto front."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.report import plot
from tools.report.evaluations import Cost
from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.names import TIERS, is_ablation, method_name
from tools.report.runs import Runs, TaskRuns

_MARKS = dict(zip(TIERS, ("o", "s", "^", "D"), strict=True))


@dataclass(frozen=True)
class Spot:
    """One model file.

    Attributes:
        method: that trained it.
        tier: that it serves.
        cost: in the panel's unit.
        accuracy: share of right answers.
    """

    method: str
    tier: str
    cost: float
    accuracy: float


def front(spots: Sequence[Spot]) -> list[Spot]:
    """Return the spots that no other beats in accuracy at the same cost or less, cheapest first."""
    best: list[Spot] = []
    for spot in sorted(spots, key=lambda spot: (spot.cost, -spot.accuracy)):
        if not best or spot.accuracy > best[-1].accuracy:
            best.append(spot)
    return best


def spots(task: TaskRuns, measure: Callable[[Cost], float | None]) -> list[Spot]:
    """Return all evaluated files of a task under its own protocol."""
    found = []
    for run in task.runs.values():
        if run.evaluation is None:
            continue
        for tier in TIERS:
            accuracy = run.evaluation.accuracies.get((tier, task.name))
            cost = run.evaluation.costs.get(tier)
            amount = measure(cost) if cost else None
            if accuracy is not None and amount is not None:
                found.append(Spot(run.method, tier, amount, accuracy.value))
    return found


def tradeoff(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    methods: dict[str, str] = {}
    for task in runs.tasks.values():
        size = spots(task, lambda cost: cost.bytes and cost.bytes / 1e3)
        time = spots(task, lambda cost: cost.median_us)
        if not size and not time:
            continue
        for method in dict.fromkeys(spot.method for spot in [*size, *time]):
            methods.setdefault(method, _colour(method, methods))
        parts += [
            heading(task.name),
            plot.pairs(
                *(
                    _panel(found, title, axis, methods, f"{kind}-{task.name}")
                    for found, title, axis, kind in (
                        (size, "Accuracy against size", "kB", "bytes"),
                        (time, "Accuracy against latency", "µs, median", "latency"),
                    )
                    if found
                )
            ),
        ]
    if not parts:
        return missing("No bundle has been evaluated yet.")
    entries = [
        (colour, method_name(name)) for name, colour in methods.items() if not is_ablation(name)
    ]
    if any(is_ablation(name) for name in methods):
        entries.append((plot.RULE, "ablations"))
    return joined(
        plot.legend(*entries),
        note("● high, ■ medium, ▲ low, ◆ critical."),
        *parts,
        note(
            "The line joins the files that none beats in "
            "accuracy at the same cost or less. Times are of the machine named below, with one "
            "thread; where methods were timed in separate runs, small differences are noise."
        ),
    )


def _colour(method: str, taken: dict[str, str]) -> str:
    if is_ablation(method):
        return plot.RULE
    number = sum(not is_ablation(name) for name in taken)
    return plot.SERIES[number % len(plot.SERIES)]


def _panel(
    found: Sequence[Spot], title: str, axis: str, colours: dict[str, str], name: str
) -> Html:
    figure, axes = plot.panel(title, height=3.2)
    best = front(found)
    axes.step(
        [spot.cost for spot in best],
        [100.0 * spot.accuracy for spot in best],
        where="post",
        color=plot.MUTED,
        linewidth=0.9,
        zorder=1.5,
    )
    # RA-CMKD comes first in the report's order and is drawn last, above the others.
    for spot in reversed(found):
        axes.plot(
            spot.cost,
            100.0 * spot.accuracy,
            marker=_MARKS[spot.tier],
            markersize=6.5,
            color=colours[spot.method],
            markeredgecolor=plot.PAPER,
            markeredgewidth=0.6,
            linestyle="none",
        )
    axes.set_xlim(left=0.0)
    axes.margins(y=0.08)
    axes.set_xlabel(axis)
    axes.set_ylabel("accuracy, %")
    says = "; ".join(
        f"{method_name(spot.method)} {spot.tier} {100.0 * spot.accuracy:.2f} % at {spot.cost:.1f}"
        for spot in best
    )
    return plot.drawn(figure, name, f"{title} ({axis}). On the front: {says}")
