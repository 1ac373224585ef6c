"""Tables for the terminal."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from edge_daemon.tier import TIERS, Tier
from tools.simulation.contest import Result
from tools.simulation.contestants import ORACLE
from tools.simulation.gates import Gate
from tools.simulation.search import Trial
from tools.simulation.summary import Interval, Summary


def show_summaries(console: Console, title: str, summaries: Sequence[Summary]) -> None:
    """Print a line for each policy: switches and regret by load, the rest over all.

    `back` is switches taken back within 30 s, `short` time without enough memory, `mute` the most
    time without an answer in a trace whose sensors fail, `delay` the most polls from a hard event
    to a move down.
    """
    loads = sorted({summary.load for summary in summaries if summary.load is not None})
    columns: list[float | None] = [*loads] if loads else [None]
    table = Table(title=title, title_justify="left")
    table.add_column("policy", no_wrap=True)
    for name in ("moves/h", "regret %"):
        for load in columns:
            head = name if load is None else f"{name}\n×{load:g}"
            table.add_column(head, justify="right", no_wrap=True)
    for name in ("all: regret %\n[95 %]", "missed %\n[95 %]"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("back\n/h", "short\n%", "off\n%", "mute\n%", "delay\npolls"):
        table.add_column(name, justify="right")
    for name in dict.fromkeys(summary.policy for summary in summaries):
        of = {summary.load: summary for summary in summaries if summary.policy == name}
        whole = of[None]
        each = [of[load] for load in columns]
        table.add_row(
            name,
            *(f"{one.switches.value:.0f}" for one in each),
            *(f"{100.0 * one.regret.value:.1f}" for one in each),
            _percent(whole.regret),
            _percent(whole.missed),
            f"{whole.reversals.value:.{0 if whole.reversals.value >= 10.0 else 1}f}",
            f"{100.0 * whole.violation.value:.2f}",
            f"{100.0 * whole.off:.1f}",
            "-" if whole.unanswered is None else f"{100.0 * whole.unanswered:.2f}",
            str(whole.delay_polls),
        )
    console.print(table)


def show_swept(
    console: Console, title: str, points: Mapping[float, Sequence[Summary]], shown: str
) -> None:
    """Print regret and, in brackets, misses of every policy over a parameter.

    Args:
        console: where to.
        title: names the parameter.
        points: summaries by the parameter's value.
        shown: the policy whose share of time in `high` is printed as well, beside the oracle's.
    """
    table = Table(title=f"{title}: regret % (missed %)", title_justify="left")
    table.add_column("policy", no_wrap=True)
    for value in points:
        table.add_column(f"{value:g}", justify="right", no_wrap=True)
    whole = [{s.policy: s for s in some if s.load is None} for some in points.values()]
    for name in whole[0]:
        cells = (100.0 * np.array([at[name].regret.value, at[name].missed.value]) for at in whole)
        table.add_row(name, *(f"{regret:.1f} ({missed:.2f})" for regret, missed in cells))
    table.add_section()
    for name in (shown, ORACLE):
        shares = (100.0 * at[name].tiers[Tier.HIGH.rank] for at in whole)
        table.add_row(f"{name}: in high, % of time", *(f"{share:.0f}" for share in shares))
    console.print(table)


def show_gates(console: Console, policy: str, found: Sequence[Gate]) -> None:
    """Print whether a policy keeps to the gates."""
    table = Table(title=f"gates: {policy}", title_justify="left")
    for name in ("", "value", "at most", ""):
        table.add_column(name, justify="left" if not name else "right")
    for gate in found:
        unit = f" {gate.unit}" if gate.unit else ""
        verdict = "[green]pass[/]" if gate.passed else "[red]FAIL[/]"
        table.add_row(gate.name, f"{gate.value:.3g}{unit}", f"{gate.limit:g}{unit}", verdict)
    console.print(table)


def _percent(interval: Interval) -> str:
    value, low, high = (100.0 * part for part in (interval.value, interval.low, interval.high))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def show_kinds(console: Console, results: Sequence[Result], policy: str) -> None:
    """Print one policy on every kind of trace, worst regret first."""
    best = {(row.trace, row.seed): row.figures for row in results if row.policy == ORACLE}
    table = Table(title=f"{policy}, by kind of trace", title_justify="left")
    table.add_column("kind")
    for name in ("regret %", "switches /h", "missed %", "memory short %", "off %"):
        table.add_column(name, justify="right")
    for tier in reversed(TIERS):
        table.add_column(f"{tier} %", justify="right")
    own = [row for row in results if row.policy == policy]
    lines = []
    for kind in dict.fromkeys(row.kind for row in own):
        rows = [row for row in own if row.kind == kind]
        share = sum(row.figures.utility for row in rows)
        share /= sum(best[row.trace, row.seed].utility for row in rows)
        lines.append((1.0 - share, kind, [row.figures for row in rows]))
    for regret, kind, some in sorted(lines, key=lambda line: -line[0]):
        table.add_row(
            kind,
            f"{100.0 * regret:.2f}",
            f"{_mean([each.switches for each in some]):.0f}",
            f"{100.0 * _mean([each.missed for each in some]):.2f}",
            f"{100.0 * _mean([each.violation for each in some]):.2f}",
            f"{100.0 * _mean([each.off for each in some]):.1f}",
            *(f"{100.0 * _mean([e.tiers[t.rank] for e in some]):.0f}" for t in reversed(TIERS)),
        )
    console.print(table)


def show_trials(console: Console, policy: str, trials: Sequence[Trial], most: int = 5) -> None:
    """Print the best settings of a search, and the default's place among them."""
    table = Table(title=f"search: {policy}, {len(trials)} settings", title_justify="left")
    for name in ("place", "cost %", "regret %", "settings", "gates that fail"):
        table.add_column(name)
    for place, trial in enumerate(trials, start=1):
        if place > most and trial.drawn:
            continue
        drawn = ", ".join(f"{name} {value:g}" for name, value in trial.drawn.items())
        table.add_row(
            str(place),
            f"{100.0 * trial.cost:.2f}",
            f"{100.0 * trial.regret:.2f}",
            drawn or "the default",
            ", ".join(trial.failed) or "none",
        )
    console.print(table)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
