"""The style that all plots share, and how they are written."""

from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image  # type: ignore[import-not-found]  # comes with matplotlib

INK, MUTED, RULE = "#1b1f24", "#59636e", "#d8dee4"
TIER_COLOURS = ("#c6cdd5", "#8db4e2", "#4a7fc1", "#1b3f7a")
"""Of the tiers, cheapest first."""

OURS_COLOUR = "#d55e00"
COLOURS = {
    "oracle": "#1b1f24",
    "ours": OURS_COLOUR,
    "ours, published bands": "#e69f00",
    "ALERT": "#009e73",
    "table, patient": "#0072b2",
    "table, gaps as hysteresis": "#56b4e9",
    "schedutil": "#cc79a7",
    "10 % spare": "#7a5c00",
    "raw table": "#5d3a9b",
    "always critical": TIER_COLOURS[0],
    "always low": TIER_COLOURS[1],
    "always medium": TIER_COLOURS[2],
    "always high": TIER_COLOURS[3],
}
"""Most are those that Okabe and Ito (2008) found to be told apart by everybody."""

MARKS = {
    "oracle": "None",
    "ours": "o",
    "ours, published bands": "s",
    "ALERT": "^",
    "table, patient": "D",
    "table, gaps as hysteresis": "v",
    "schedutil": "P",
    "10 % spare": "X",
    "raw table": "*",
}
"""Of the policies that decide anything, so that nobody has to go by the colour alone."""

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
    rows: int,
    width: float,
    height: float,
    heights: tuple[float, ...] | None = None,
    columns: int = 1,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes, row by row; a column shares its horizontal axis, a row the other.

    Args:
        rows: how many.
        width: inches.
        height: inches.
        heights: of the rows, relative to each other; None makes them equal.
        columns: how many beside each other.
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(
            rows, columns, sharex="col", sharey="row", squeeze=False, height_ratios=heights
        )
    return figure, list(axes.ravel())


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
        drawn = BytesIO()
        figure.savefig(drawn, dpi=130)
        # Lines and letters need no more colours, and the file is a third as large.
        Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
            png, optimize=True
        )
        figure.savefig(path.with_name(path.name + ".svg"), metadata={"Date": None})
    return png
