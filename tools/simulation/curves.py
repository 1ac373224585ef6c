"""Plots over many traces: sweeps, and switches against regret."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator, ScalarFormatter, StrMethodFormatter

from tools.simulation.contestants import ORACLE, OURS
from tools.simulation.gates import MISSED, REGRET, SWITCHES
from tools.simulation.plot import MUTED, SETTINGS, canvas, colour
from tools.simulation.summary import Summary

_FLOOR = 1.0
"""Least regret that the scatter shows, in percent."""


def swept(title: str, label: str, points: Mapping[float, Sequence[Summary]]) -> Figure:
    """Return regret, switches and misses of every policy over one parameter.

    Args:
        title: above the plot.
        label: of the parameter.
        points: summaries over all loads, by the parameter's value.
    """
    figure, axes = canvas(3, 7.0, 7.2)
    policies = list(dict.fromkeys(s.policy for some in points.values() for s in some))
    with matplotlib.rc_context(SETTINGS):
        for name in policies:
            values, regret, switches, missed = [], [], [], []
            for value, some in points.items():
                one = next(s for s in some if s.policy == name and s.load is None)
                values.append(value)
                regret.append(100.0 * one.regret.value)
                switches.append(one.switches.value)
                missed.append(100.0 * one.missed.value)
            bold = name == OURS
            style = {"color": colour(name), "lw": 2.2 if bold else 1.2, "zorder": 3 if bold else 2}
            axes[0].plot(values, regret, label=name, marker="o", ms=3, **style)
            axes[1].plot(values, switches, marker="o", ms=3, **style)
            axes[2].plot(values, missed, marker="o", ms=3, **style)
        for each, name, gate in zip(
            axes,
            ("regret, %", "switches /h", "missed, %"),
            (100.0 * REGRET, SWITCHES, 100.0 * MISSED),
            strict=True,
        ):
            each.set_ylabel(name)
            named = "gate" if each is axes[0] else None
            each.axhline(gate, color=MUTED, lw=0.8, ls=(0, (4, 3)), label=named)
        axes[0].set_ylim(bottom=0.0)
        _logarithmic(axes[1], (0, 1, 2, 5, 10, 20, 50, 100, 200, 500), 5.0)
        _logarithmic(axes[2], (0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50), 0.2)
        axes[0].set_title(title)
        axes[-1].set_xlabel(label)
        figure.legend(loc="outside right upper")
    return figure


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
