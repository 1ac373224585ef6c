"""Plots over many traces: sweeps, and switches against regret."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.simulation.contestants import OURS
from tools.simulation.gates import MISSED, REGRET, SWITCHES
from tools.simulation.plot import INK, MUTED, SETTINGS, canvas, colour
from tools.simulation.summary import Summary


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
            each.axhline(gate, color=MUTED, lw=0.8, ls=(0, (4, 3)))
            each.set_ylim(bottom=min(0.0, each.get_ylim()[0]))
        _logarithmic(axes[1], 1.0)
        _logarithmic(axes[2], 0.1)
        axes[0].set_title(title)
        axes[-1].set_xlabel(label)
        figure.legend(loc="outside right upper")
    return figure


def scattered(summaries: Sequence[Summary]) -> Figure:
    """Return switches against regret, each policy at each load, with the gates as a corner."""
    loads = sorted({summary.load for summary in summaries if summary.load is not None})
    figure, (axes,) = canvas(1, 7.4, 5.0)
    with matplotlib.rc_context(SETTINGS):
        axes.axvspan(0.0, SWITCHES, ymin=0.0, color="#eef6ee", zorder=0)
        axes.axhspan(100.0 * REGRET, 1000.0, color="white", zorder=0.5)
        keys: list[float | None] = [*loads] if loads else [None]
        marks = dict(zip(keys, "os^Dv<>p", strict=False))
        for name in dict.fromkeys(summary.policy for summary in summaries):
            some = [s for s in summaries if s.policy == name and s.load in marks]
            across = [s.switches.value for s in some]
            up = [max(0.05, 100.0 * s.regret.value) for s in some]
            axes.plot(across, up, color=colour(name), lw=0.8, alpha=0.6)
            for one, x, y in zip(some, across, up, strict=True):
                filled = colour(name) if name != "oracle" else "white"
                axes.plot(x, y, marks[one.load], color=filled, mec=colour(name), ms=6, zorder=3)
            axes.annotate(
                name,
                (across[-1], up[-1]),
                xytext=(6, 3),
                textcoords="offset points",
                color=INK,
                size=8,
            )
        axes.set_xscale("symlog", linthresh=10.0)
        axes.set_yscale("log")
        axes.set_xlim(-1.0, 3000.0)
        axes.set_ylim(0.04, 100.0)
        axes.set_xlabel("switches per hour")
        axes.set_ylabel("regret against the oracle, %")
        names = ", ".join(f"{mark} ×{load:g}" for load, mark in marks.items() if load is not None)
        axes.set_title(f"what changing often buys; shaded: within both gates ({names})")
    return figure


def _logarithmic(axes: Axes, least: float) -> None:
    axes.set_yscale("symlog", linthresh=least)
    axes.set_ylim(bottom=0.0)
