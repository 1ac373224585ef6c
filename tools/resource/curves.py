"""The coefficient functions as curves and as a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray
from torch import Tensor

from edge_daemon.governor.headroom import Headroom, room
from edge_daemon.tier import TIERS
from tools.resource.coefficients import (
    BALANCE,
    Balance,
    Coefficients,
    ResourceWeights,
    coefficients,
    resource_weights,
)

Curve: TypeAlias = NDArray[np.float64]

COMPONENTS: tuple[str, ...] = Headroom.__struct_fields__

# Told apart with every common colour blindness: Okabe and Ito (2008), the purple by Tol (2021).
_TERMS = (
    ("α task", "#0072B2", "-"),
    ("β distil", "#D55E00", (0, (6, 2))),
    ("γ align", "#009E73", (0, (4, 1.5, 1, 1.5))),
    ("δ resource", "#AA4499", (0, (1.5, 1.5))),
)
_COSTS = (("MACs", "#56B4E9"), ("bytes", "#E69F00"), ("latency", "#B8B8B8"))
_TEXT = "#333333"


@dataclass(frozen=True)
class Curves:
    """What is drawn: every array float64 [points], over `headroom`.

    Attributes:
        headroom: 0 to 1 in equal steps.
        together: the coefficients where all four components have that value.
        alone: by component, the coefficients where it has that value and the others are 1.
        split: by component, the weights of the resource term there.
    """

    headroom: Curve
    together: Coefficients[Curve]
    alone: dict[str, Coefficients[Curve]]
    split: dict[str, ResourceWeights[Curve]]


def coefficient_curves(balance: Balance = BALANCE, points: int = 201) -> Curves:
    """Return the curves over the whole headroom and over its components one by one.

    Args:
        balance: the constants of the coefficient functions.
        points: values on the axis, at least 2.
    """
    axis = torch.linspace(0.0, 1.0, points, dtype=torch.float64)
    falling = {name: _alone(axis, index) for index, name in enumerate(COMPONENTS)}
    alone = {name: coefficients(rows, balance) for name, rows in falling.items()}
    split = {name: resource_weights(rows, balance) for name, rows in falling.items()}
    together = coefficients(axis[:, None].expand(-1, len(COMPONENTS)), balance)
    return Curves(
        headroom=axis.numpy(),
        together=Coefficients(*_arrays(together)),
        alone={name: Coefficients(*_arrays(found)) for name, found in alone.items()},
        split={name: ResourceWeights(*_arrays(found)) for name, found in split.items()},
    )


def coefficient_figure(balance: Balance = BALANCE) -> Figure:
    """Draw the coefficients, and how the resource term is split, over the headroom.

    Args:
        balance: the constants of the coefficient functions.
    """
    curves = coefficient_curves(balance)
    figure = Figure(figsize=(10.0, 7.8), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    above, below = figure.subfigures(2, 1, height_ratios=(1.2, 1.0), hspace=0.04)
    _heading(above, "What the terms of the loss weigh")
    left, right = above.subplots(1, 2, sharey=True)
    _lines(left, curves.headroom, curves.together)
    left.set_title("all four resources alike", size=10, color=_TEXT)
    # The abundance treats all components alike: the CPU stands for each of them.
    _lines(right, curves.headroom, curves.alone["cpu"])
    right.set_title("one resource, the others at 1", size=10, color=_TEXT)
    _heading(below, "How the resource term is split")
    panels = below.subplots(1, 3, sharey=True)
    for axes, name in zip(panels, ("energy", "memory", "cpu"), strict=True):
        _areas(axes, curves.headroom, curves.split[name])
    for axes, what in zip(panels, ("energy or thermal", "memory", "CPU"), strict=True):
        axes.set_title(f"{what}, the others at 1", size=10, color=_TEXT)
    for axes in (left, panels[0]):
        axes.set_ylabel("weight", color=_TEXT)
    return figure


def _heading(part: SubFigure, text: str) -> None:
    part.suptitle(text, x=0.012, ha="left", size=12, weight="bold", color=_TEXT)


def _lines(axes: Axes, headroom: Curve, found: Coefficients[Curve]) -> None:
    """Draw the four coefficients, each named where it ends."""
    for values, (name, colour, dash) in zip(found, _TERMS, strict=True):
        axes.plot(headroom, values, color=colour, linewidth=2, linestyle=dash)
        axes.annotate(
            name,
            (1.0, values[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
        )
    axes.set_ylim(bottom=0.0)
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    _rooms(axes, "#DDDDDD")


def _areas(axes: Axes, headroom: Curve, found: ResourceWeights[Curve]) -> None:
    """Stack the three weights, each named inside its area."""
    floor = 0.0 * headroom
    at = len(headroom) // 2
    for values, (name, colour) in zip(found, _COSTS, strict=True):
        axes.fill_between(headroom, floor, floor + values, color=colour, linewidth=0)
        axes.text(headroom[at], floor[at] + values[at] / 2, name, ha="center", va="center")
        floor = floor + values
    axes.set_ylim(0.0, 1.0)
    _rooms(axes, "#FFFFFF")


def _rooms(axes: Axes, colour: str) -> None:
    """Mark the rooms of the tiers on the axis of the headroom."""
    upper = TIERS[1:]
    middles = [sum(room(tier)) / 2 for tier in upper]
    for tier in upper[1:]:
        axes.axvline(room(tier)[0], color=colour, linewidth=1, zorder=1)
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([room(tier)[1] for tier in TIERS], ["0", "1/3", "2/3", "1"])
    axes.set_xticks(middles, [tier.value for tier in upper], minor=True, color="#666666", size=9)
    axes.tick_params(axis="x", which="minor", length=0, pad=6.5)
    axes.tick_params(colors=_TEXT)
    axes.set_xlabel("headroom", color=_TEXT)
    axes.spines[["top", "right"]].set_visible(False)


def _alone(axis: Tensor, index: int) -> Tensor:
    rows = torch.ones(len(axis), len(COMPONENTS), dtype=axis.dtype)
    rows[:, index] = axis
    return rows


def _arrays(found: Sequence[Tensor]) -> list[Curve]:
    return [values.numpy() for values in found]
