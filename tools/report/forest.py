"""Differences from RA-CMKD as dots with their intervals, a panel for each tier."""

from collections.abc import Sequence

from tools.report import plot
from tools.report.contests import Contest
from tools.report.difference import Difference
from tools.report.markup import Html
from tools.report.names import TIERS, method_name

_COLOURS = {"better": plot.BAD, "worse": plot.SERIES[0], "no difference shown": plot.MUTED}
_MARKS = {"better": "D", "worse": "o", "no difference shown": "o"}


def forest(found: Sequence[Contest], name: str) -> Html:
    """Draw contests that have a difference.

    Args:
        found: of one task and protocol.
        name: of the figure.
    """
    gains = [(contest, contest.difference) for contest in found if contest.difference is not None]
    reach = 110.0 * max(max(abs(gain.low), abs(gain.high)) for _, gain in gains) or 1.0
    some = []
    for tier in TIERS:
        rows = [(contest.method, gain) for contest, gain in gains if contest.tier == tier]
        if rows:
            some.append(_panel(tier, rows, reach, f"{name}-{tier}"))
    return plot.pairs(*some)


def _panel(tier: str, rows: Sequence[tuple[str, Difference]], reach: float, name: str) -> Html:
    figure, axes = plot.panel(tier, height=0.95 + 0.22 * len(rows))
    axes.axvline(0.0, color=plot.MUTED, linewidth=1.0)
    for row, (_, gain) in enumerate(rows):
        colour = _COLOURS[gain.verdict]
        axes.plot([100.0 * gain.low, 100.0 * gain.high], [row, row], color=colour)
        hollow = gain.verdict == "no difference shown"
        axes.plot(
            100.0 * gain.value,
            row,
            marker=_MARKS[gain.verdict],
            markersize=5,
            color=colour,
            markerfacecolor=plot.PAPER if hollow else colour,
        )
    axes.set_yticks(range(len(rows)), [method_name(method) for method, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-reach, reach)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("← worse than RA-CMKD · points · better →")
    says = "; ".join(
        f"{method_name(method)} {100.0 * gain.value:+.2f} points, {gain.verdict}"
        for method, gain in rows
    )
    return plot.drawn(figure, name, f"Difference from RA-CMKD in {tier}: {says}")
