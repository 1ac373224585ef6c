"""What sections are made of: goals, the Pareto front, confusion, markup, figures."""

import re

import numpy as np
import pytest

from tools.report import plot
from tools.report.answers import Answered
from tools.report.confusion import matrix
from tools.report.evaluations import Accuracy
from tools.report.goals import standing
from tools.report.markup import element, joined
from tools.report.names import METHODS
from tools.report.tradeoff import Spot, front
from tools.report.wording import interval, listed, points, size, whole


@pytest.mark.parametrize(
    ("value", "low", "high", "wanted"),
    [
        (0.97, 0.961, 0.98, "met"),
        (0.97, 0.955, 0.98, "met, narrowly"),
        (0.955, 0.95, 0.96, "missed, narrowly"),
        (0.95, 0.94, 0.959, "missed"),
    ],
)
def test_a_goal_that_the_interval_holds_is_narrow(
    value: float, low: float, high: float, wanted: str
) -> None:
    assert standing(Accuracy("high", "live", 10, value, low, high), 0.96) == wanted


def test_the_front_is_what_no_other_beats() -> None:
    random = np.random.default_rng(0)
    some = [
        Spot("m", "high", float(cost), float(accuracy))
        for cost, accuracy in random.integers(0, 12, (40, 2))
    ]

    def beaten(one: Spot, other: Spot) -> bool:
        better = other.cost < one.cost or other.accuracy > one.accuracy
        return better and other.cost <= one.cost and other.accuracy >= one.accuracy

    wanted = {
        (one.cost, one.accuracy) for one in some if not any(beaten(one, other) for other in some)
    }
    found = front(some)
    assert {(spot.cost, spot.accuracy) for spot in found} == wanted
    assert [spot.cost for spot in found] == sorted(spot.cost for spot in found)


def test_confusion_counts_the_shown_by_row() -> None:
    labels, answers = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 2, 1, 2, 2, 0])
    counts = matrix(Answered(answers, labels, labels))
    assert counts.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 2]]


def test_only_markup_is_not_escaped() -> None:
    made = element("td", "a < b & c", element("b", '"'), title='"quoted" & <tag>')
    assert made == (
        '<td title="&quot;quoted&quot; &amp; &lt;tag&gt;">a &lt; b &amp; c<b>&quot;</b></td>'
    )
    assert joined("<", None, element("i")) == "&lt;<i></i>"


def test_numbers_are_written_as_people_write_them() -> None:
    assert points(-0.0043) == "−0.43"
    assert points(0.0125) == "+1.25"
    assert points(-0.00001) == "0.00"
    assert interval(0.9412, 0.9533) == "94.12–95.33"
    assert whole(1234567) == "1\u202f234\u202f567"
    assert [size(amount) for amount in (640, 43_800, 1_240_000)] == [
        "640\u00a0B",
        "43.8\u00a0kB",
        "1.2\u00a0MB",
    ]
    assert listed(["a", "b", "c"]) == "a, b and c"


def figure(title: str) -> str:
    made, axes = plot.panel(title)
    axes.plot([1, 2], [3, 4], color=plot.SERIES[1])
    return plot.drawn(made, "one", "a line")


def test_figures_take_the_pages_colours_and_letters() -> None:
    svg = figure("a < b")
    assert "var(--series-1)" in svg and "var(--ink)" in svg
    assert not re.search(r"#0[12]0[012]\d\d|font-family|http|<metadata|<style", svg)
    assert "a &lt; b" in svg
    assert all(name.startswith("one-") for name in re.findall(r'\bid="([^"]+)"', svg))
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', svg)
    assert used and set(used) <= set(re.findall(r'\bid="([^"]+)"', svg))


def test_a_figure_is_the_same_every_time() -> None:
    assert figure("again") == figure("again")


def test_every_method_has_a_name() -> None:
    from tools.methods import METHODS as ALL

    assert set(METHODS) == set(ALL)
    assert len(set(METHODS.values())) == len(METHODS)
