"""Figures: matplotlib's drawing as inline SVG in the page's own colours and letters."""

import io
import re
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.report.markup import Html, element

INK, MUTED, RULE, PAPER, BAD = "#010101", "#010102", "#010103", "#010104", "#010105"
SERIES = tuple(f"#0102{number:02x}" for number in range(8))
"""Colours that stand for the page's: it has others by night than by day."""

_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    PAPER: "var(--paper)",
    BAD: "var(--bad)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES)},
}

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
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
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "legend.labelcolor": MUTED,
    "legend.handlelength": 1.4,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
}

PANEL = (4.2, 2.8)
"""Inches of one of several small panels."""


def panel(title: str, width: float = PANEL[0], height: float = PANEL[1]) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes, in the page's style."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title, pad=8)
    return figure, axes


def name_lines(axes: Axes, columns: int = 1) -> None:
    """Say within a panel which line is which."""
    with matplotlib.rc_context(_SETTINGS):
        axes.legend(ncols=columns)


def drawn(figure: Figure, name: str, description: str) -> Html:
    """Return a figure as SVG within the page.

    Args:
        figure: what to draw.
        name: of this figure alone; identifiers within begin with it.
        description: what a reader sees in it, for those who do not.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", lambda found: f"-{ord(found[0]):x}-", name)
    text = io.StringIO()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(text, format="svg", transparent=True, metadata=_no_metadata())
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg[^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg, count=1)
    svg = re.sub(r"font: (?:[a-z0-9]+ )*([0-9.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#', rf'href="#{name}-', svg)
    svg = re.sub(
        r"#[0-9a-fA-F]{6}\b", lambda found: _VARIABLES.get(found[0].lower(), found[0]), svg
    )
    svg = re.sub(r"\n\s*", "\n", svg).strip()
    return element("div", Html(svg), class_="plot", role="img", aria_label=description)


def on_plate(plot: Html) -> Html:
    """Return a figure that has its own colours, dark on light, on a light plate for the night."""
    return element("div", plot, class_="plate")


def panels(*some: Html) -> Html:
    """Return panels side by side as far as the page is wide."""
    return element("div", *some, class_="panels")


def pairs(*some: Html) -> Html:
    """Return larger panels, two side by side where there is room."""
    return element("div", *some, class_="panels pairs")


def legend(*entries: tuple[str, str]) -> Html:
    """Return what colours mean: pairs of one of this module's colours and a name."""
    return element(
        "ul",
        *(
            element("li", element("i", style=f"background: {_VARIABLES[colour]}"), name)
            for colour, name in entries
        ),
        class_="legend",
    )


def _no_metadata() -> dict[str, Any]:
    """Neither the time nor the drawing library: the same records give the same page."""
    return dict.fromkeys(("Creator", "Date", "Format", "Type"))
