"""Plots over many traces: sweeps, and switches against regret."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator, ScalarFormatter, StrMethodFormatter

from tools.simulation.contestants import ORACLE, OURS
from tools.simulation.gates import MISSED, REGRET, SWITCHES
from tools.simulation.plot import INK, MARKS, MUTED, SETTINGS, canvas, colour
from tools.simulation.summary import Summary

_FLOOR = 1.0
"""Least regret that the scatter shows, in percent."""


def swept(title: str, columns: Mapping[str, Mapping[float, Sequence[Summary]]]) -> Figure:
    """Return regret, switches and misses of every policy over parameters, one beside the other.

    Args:
        title: above the plot.
        columns: by the parameter's label, summaries over all loads by the parameter's value.
    """
    figure, axes = canvas(3, 4.4 * len(columns) + 0.6, 8.2, (1.5, 1.0, 1.0), len(columns))
    with matplotlib.rc_context(SETTINGS):
        for number, (label, points) in enumerate(columns.items()):
            rows = axes[number :: len(columns)]
            _curves(rows, points)
            rows[-1].set_xlabel(label)
        for each, name, gate in zip(
            axes[:: len(columns)],
            ("regret, %", "switches /h", "missed, %"),
            (100.0 * REGRET, SWITCHES, 100.0 * MISSED),
            strict=True,
        ):
            each.set_ylabel(name)
            for beside in axes[axes.index(each) : axes.index(each) + len(columns)]:
                beside.axhline(gate, color=MUTED, lw=0.9, ls=(0, (1, 2)), label="gate")
        _logarithmic(axes[0], (0, 1, 2, 5, 10, 20, 50), 1.0)
        _logarithmic(axes[len(columns)], (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000), 5.0)
        _logarithmic(axes[2 * len(columns)], (0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50), 0.2)
        figure.suptitle(title, x=0.01, ha="left", size=10.0, color=INK)
        lines, names = axes[0].get_legend_handles_labels()
        figure.legend(lines, names, loc="outside lower center", ncols=4)
    return figure


def _curves(rows: Sequence[Axes], points: Mapping[float, Sequence[Summary]]) -> None:
    """Draw regret, switches and misses over one parameter into three axes."""
    for name in dict.fromkeys(s.policy for some in points.values() for s in some):
        ones = [
            next(s for s in some if s.policy == name and s.load is None) for some in points.values()
        ]
        ours, dull = name == OURS, name not in MARKS
        for axes, values in zip(
            rows,
            (
                [100.0 * one.regret.value for one in ones],
                [one.switches.value for one in ones],
                [100.0 * one.missed.value for one in ones],
            ),
            strict=True,
        ):
            axes.plot(
                list(points),
                values,
                label=name,
                color=colour(name),
                marker=MARKS.get(name, "None"),
                ms=5.0 if name == "raw table" else 3.5,
                lw=2.4 if ours else 1.1,
                ls=(0, (4, 2)) if dull else "-",
                zorder=3 if ours else 2,
            )


def scattered(summaries: Sequence[Summary]) -> Figure:
    """Return switches against regret, each policy at each load, with the gates as a corner.

    The oracle has no regret; its switches stand on the lower edge.
    """
    loads = sorted({summary.load for summary in summaries if summary.load is not None})
    keys: list[float | None] = [*loads] if loads else [None]
    marks = dict(zip(keys, "os^Dv<>p", strict=False))
    figure, (axes,) = canvas(1, 8.6, 4.8)
    with matplotlib.rc_context(SETTINGS):
        most = 60.0
        corner = Rectangle((0.0, _FLOOR), SWITCHES, 100.0 * REGRET - _FLOOR, color="#e8f3e8", lw=0)
        axes.add_patch(corner)
        for name in dict.fromkeys(summary.policy for summary in summaries):
            some = [s for s in summaries if s.policy == name and s.load in marks]
            across = [s.switches.value for s in some]
            up = [min(most, max(_FLOOR, 100.0 * s.regret.value)) for s in some]
            ink = colour(name)
            axes.plot(across, up, color=ink, lw=0.8, alpha=0.6, clip_on=False)
            for one, x, y in zip(some, across, up, strict=True):
                inside = "white" if name == ORACLE else ink
                axes.plot(
                    x, y, marks[one.load], color=inside, mec=ink, ms=6, zorder=3, clip_on=False
                )
            axes.plot([], [], "-", color=ink, lw=4.0, label=name)
        for load, mark in marks.items():
            if load is not None:
                axes.plot([], [], mark, color=MUTED, ms=6, label=f"load ×{load:g}")
        axes.set_xscale("symlog", linthresh=10.0)
        axes.set_yscale("log")
        axes.set_xlim(0.0, 2000.0)
        axes.set_ylim(_FLOOR, most)
        axes.set_xticks([0, 5, 10, 20, 50, 100, 200, 500, 1000, 2000])
        axes.set_yticks([1, 2, 4, 10, 20, 40])
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(ScalarFormatter())
            axis.set_minor_locator(NullLocator())
        axes.set_xlabel("switches per hour")
        axes.set_ylabel("regret against the oracle, %")
        axes.set_title("What changing often buys; shaded: within both gates", pad=12)
        figure.legend(loc="outside right upper")
    return figure


def _logarithmic(axes: Axes, ticks: tuple[float, ...], even: float) -> None:
    """Draw logarithmically above `even`, and evenly from there down to 0."""
    most = axes.get_ylim()[1]
    axes.set_yscale("symlog", linthresh=even)
    axes.set_yticks([tick for tick in ticks if tick <= 1.2 * most])
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom=0.0)
