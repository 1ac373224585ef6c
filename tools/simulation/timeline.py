"""One trace, and what every policy made of it, on one time axis."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from edge_daemon.tier import TIERS
from tools.simulation.board import Board
from tools.simulation.contestants import ORACLE
from tools.simulation.plot import INK, MUTED, SETTINGS, TIER_COLOURS, canvas, colour
from tools.simulation.run import Run
from tools.simulation.trace import Trace

_BAD = "#d9263a"


def timeline(trace: Trace, board: Board, runs: Mapping[str, Run], shown: str) -> Figure:
    """Return the plot: load, temperature, memory, then a strip of tiers for each policy.

    Args:
        trace: the trace.
        board: its limits are drawn.
        runs: by policy.
        shown: the policy whose load, temperature and memory are drawn, the oracle's memory and
            all others' temperatures thinly beside it.
    """
    heights = (1.0, 1.0, 1.0, 0.24 * len(runs) + 0.2)
    figure, (load, heat, memory, tiers) = canvas(4, 10.0, 5.2 + 0.26 * len(runs), heights)
    minutes = np.arange(trace.steps, dtype=np.float64) * (trace.step_s / 60.0)
    with matplotlib.rc_context(SETTINGS):
        _load(load, minutes, trace, runs[shown], shown)
        _heat(heat, minutes, board, runs, shown)
        _memory(memory, minutes, runs, shown)
        _tiers(tiers, trace, runs)
        load.set_title(f"{trace.name}: what surrounds the board, and what {shown} made of it")
    return figure


def _load(axes: Axes, minutes: NDArray[np.float64], trace: Trace, run: Run, shown: str) -> None:
    axes.fill_between(minutes, 100.0 * trace.foreign, color="#e3e7ec", lw=0)
    axes.plot(minutes, 100.0 * trace.foreign, color=MUTED, lw=0.7, label="asked for by others")
    total = 100.0 * _smooth(run.load, trace.step_s)
    axes.plot(minutes, total, color=colour(shown), lw=1.0, label=f"busy in all with {shown}")
    axes.set_ylabel("load, %")
    axes.set_ylim(0.0, max(105.0, 105.0 * float(trace.foreign.max())))
    axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 0.98))


def _heat(
    axes: Axes, minutes: NDArray[np.float64], board: Board, runs: Mapping[str, Run], shown: str
) -> None:
    for name, run in runs.items():
        bold = name == shown
        axes.plot(
            minutes,
            run.temperature_c,
            color=colour(name),
            lw=1.3 if bold else 0.6,
            alpha=1.0 if bold else 0.55,
            zorder=3 if bold else 2,
        )
    axes.plot([], [], color=colour(shown), lw=1.3, label=shown)
    axes.plot([], [], color=MUTED, lw=0.6, label="everyone else")
    axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 0.98))
    low, high = axes.get_ylim()
    for limit_c, what in (
        (board.throttle_c[0], "firmware slows"),
        (board.throttle_c[1], "slows more"),
        (board.critical_c, "powers off"),
    ):
        if limit_c < high + 6.0:
            axes.axhline(limit_c, color=_BAD, lw=0.7, ls=(0, (4, 3)))
            axes.text(minutes[0], limit_c + 0.3, f" {what}", va="bottom", color=_BAD, size=7)
            high = max(high, limit_c + 3.0)
    axes.set_ylim(low, high)
    axes.set_ylabel("temperature, °C")


def _memory(axes: Axes, minutes: NDArray[np.float64], runs: Mapping[str, Run], shown: str) -> None:
    for name in (ORACLE, shown):
        if name in runs:
            lw = 1.3 if name == shown else 0.8
            axes.plot(minutes, runs[name].free_mib, color=colour(name), lw=lw, label=name)
    axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 0.98))
    axes.axhline(0.0, color=_BAD, lw=0.8)
    axes.set_ylabel("memory left, MiB")


def _tiers(axes: Axes, trace: Trace, runs: Mapping[str, Run]) -> None:
    ranks = np.stack([run.tier for run in runs.values()])
    axes.imshow(
        ranks,
        cmap=ListedColormap([_BAD, *TIER_COLOURS]),
        vmin=-1.5,
        vmax=3.5,
        aspect="auto",
        interpolation="nearest",
        extent=(0.0, trace.duration_s / 60.0, len(runs) - 0.5, -0.5),
    )
    for row in range(1, len(runs)):
        axes.axhline(row - 0.5, color="white", lw=2.0)
    axes.set_yticks(range(len(runs)), list(runs))
    for label, name in zip(axes.get_yticklabels(), runs, strict=True):
        label.set_color(INK if name not in ("ours",) else colour(name))
    axes.grid(False)
    axes.set_xlabel("minutes")
    axes.set_xlim(0.0, trace.duration_s / 60.0)
    patches = [
        Patch(color=shade, label=str(tier)) for tier, shade in zip(TIERS, TIER_COLOURS, strict=True)
    ]
    if (ranks < 0).any():
        patches.append(Patch(color=_BAD, label="board off"))
    axes.legend(handles=patches, ncols=5, loc="upper left", bbox_to_anchor=(0.0, -0.14))


def _smooth(values: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    width = max(1, round(5.0 / step_s))
    return np.convolve(values, np.full(width, 1.0 / width), mode="same")
