import io
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from edge_daemon.governor.headroom import Headroom
from tools.resource.coefficients import (
    BALANCE,
    PLENTY,
    SCARCE,
    Coefficients,
    coefficients,
    resource_weights,
)
from tools.resource.curves import coefficient_curves, coefficient_figure


def alone(component: str, at: float) -> NDArray[np.float64]:
    return np.array([at if name == component else 1.0 for name in Headroom.__struct_fields__])


def at_index(curves: Iterable[NDArray[np.float64]], index: int) -> list[float]:
    return [curve[index] for curve in curves]


def values(weights: Iterable[Tensor]) -> object:
    return pytest.approx([weight.item() for weight in weights])


def test_the_curves_are_the_functions() -> None:
    curves = coefficient_curves(points=11)
    assert curves.headroom == pytest.approx(np.arange(11) / 10)
    for index, at in enumerate(curves.headroom):
        rows = {name: alone(name, at) for name in Headroom.__struct_fields__}
        assert at_index(curves.together, index) == values(coefficients(np.full(4, at)))
        for name, row in rows.items():
            assert at_index(curves.alone[name], index) == values(coefficients(row))
            assert at_index(curves.split[name], index) == values(resource_weights(row))


def test_the_curves_follow_the_constants() -> None:
    flat = replace(BALANCE, scarce=PLENTY)
    for curve, value in zip(coefficient_curves(flat).together, PLENTY, strict=True):
        assert curve == pytest.approx(np.full(201, value))
    ends = coefficient_curves(points=2).together
    assert [curve[0] for curve in ends] == pytest.approx(list(SCARCE))


def test_the_figure_draws_every_curve_in_every_panel() -> None:
    left, right, *splits = coefficient_figure().get_axes()
    curves = coefficient_curves()
    for axes, drawn in ((left, curves.together), (right, curves.alone["cpu"])):
        lines = [line for line in axes.lines if len(line.get_xdata()) == len(curves.headroom)]
        for line, curve in zip(lines, drawn, strict=True):
            assert np.array_equal(line.get_ydata(), curve)
        names = [text.get_text().partition(" ")[0] for text in axes.texts]
        assert names == ["α", "β", "γ", "δ"]
        assert len({line.get_color() for line in lines}) == 4
        assert len({line.get_linestyle() for line in lines}) > 1
    assert len(splits) == 3
    for axes in splits:
        assert [text.get_text() for text in axes.texts] == ["MACs", "bytes", "latency"]
        top = max(area.get_datalim(axes.transData).y1 for area in axes.collections)
        assert top == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_it_can_be_written(kind: str) -> None:
    stream = io.BytesIO()
    coefficient_figure().savefig(stream, format=kind)
    assert stream.getvalue()[:4] in (b"\x89PNG", b"<?xm")
    assert len(stream.getvalue()) > 10_000


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    figure.draw_without_rendering()
    texts = [
        (text.get_text(), text.get_window_extent())
        for axes in figure.get_axes()
        for text in [
            *axes.texts,
            axes.title,
            axes.xaxis.label,
            axes.yaxis.label,
            *axes.get_xticklabels(),
            *axes.get_xticklabels(minor=True),
        ]
        if text.get_text() and text.get_visible()
    ]
    return [(a, b) for (a, one), (b, two) in combinations(texts, 2) if one.overlaps(two)]


def test_no_label_covers_another() -> None:
    assert overlaps(coefficient_figure()) == []
    crowded = replace(BALANCE, plenty=Coefficients(0.35, 0.345, 0.155, 0.15))
    assert overlaps(coefficient_figure(crowded))  # the check can see one
