"""The style that all plots share, and how they are written."""

from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, RULE = "#1b1f24", "#59636e", "#d8dee4"
TIER_COLOURS = ("#c6cdd5", "#8db4e2", "#4a7fc1", "#1b3f7a")
"""Of the tiers, cheapest first."""

OURS_COLOUR = "#c2410c"
COLOURS = {
    "oracle": "#1b1f24",
    "ours": OURS_COLOUR,
    "ours, published bands": "#f0a175",
    "ALERT": "#0f9b8e",
    "table, patient": "#5b7f1d",
    "table, gaps as hysteresis": "#a9c46c",
    "schedutil": "#7c4fb0",
    "10 % spare": "#b8860b",
    "raw table": "#b0306a",
    "always critical": TIER_COLOURS[0],
    "always low": TIER_COLOURS[1],
    "always medium": TIER_COLOURS[2],
    "always high": TIER_COLOURS[3],
}

SETTINGS = {
    "figure.facecolor": "white",
    "font.size": 9.0,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.4,
    "svg.hashsalt": "simulation",
}


def canvas(
    rows: int, width: float, height: float, heights: tuple[float, ...] | None = None
) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes above each other that share their horizontal axis.

    Args:
        rows: how many.
        width: inches.
        height: inches.
        heights: of the rows, relative to each other; None makes them equal.
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=heights)
    return figure, list(axes[:, 0])


def colour(policy: str) -> str:
    """Return a policy's colour, the same in all plots."""
    return COLOURS.get(policy, MUTED)


def write(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG and SVG beside each other; return the PNG's path.

    Args:
        figure: what to write.
        path: without a suffix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    png = path.with_name(path.name + ".png")
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(png, dpi=130)
        figure.savefig(path.with_name(path.name + ".svg"), metadata={"Date": None})
    return png
