import numpy as np
import pytest

from edge_daemon.tier import Tier
from tests.tools.simulation.made import BOARD, Noting, flat, played
from tests.tools.simulation.test_summary import results
from tools.simulation.contestants import ORACLE, contestants
from tools.simulation.curves import scattered, swept
from tools.simulation.plot import COLOURS, colour
from tools.simulation.summary import summarise
from tools.simulation.timeline import timeline


def test_a_timeline_shows_every_policys_tiers() -> None:
    trace = flat(duration_s=120.0)
    runs = {
        ORACLE: played(trace, Noting([Tier.HIGH])),
        "ours": played(trace, Noting([Tier.LOW] * 60 + [Tier.MEDIUM])),
    }
    figure = timeline(trace, BOARD, runs, "ours")
    load, heat, memory, tiers = figure.axes
    strip = np.asarray(tiers.images[0].get_array())
    assert np.array_equal(strip, np.stack([run.tier for run in runs.values()]))
    assert [label.get_text() for label in tiers.get_yticklabels()] == [ORACLE, "ours"]
    assert heat.lines[1].get_ydata() == pytest.approx(runs["ours"].temperature_c)
    assert memory.lines[1].get_ydata() == pytest.approx(runs["ours"].free_mib)
    assert load.lines[0].get_ydata() == pytest.approx(100.0 * trace.foreign)
    assert [text.get_text() for text in tiers.get_legend().get_texts()][-1] == "high"


def test_curves_go_through_the_summaries() -> None:
    points = {}
    for value, utility in ((0.2, 0.81), (0.6, 0.72)):
        rows = results(ORACLE, [0.9], [value]) + results("ours", [utility], [value])
        points[value] = summarise(rows)
    figure = swept("title", {"load": points, "room": {27.0: points[0.6]}})
    regret, other = (
        {str(line.get_label()): line for line in axes.lines} for axes in figure.axes[:2]
    )
    assert list(regret["ours"].get_xdata()) == [0.2, 0.6]
    assert list(regret["ours"].get_ydata()) == pytest.approx([10.0, 20.0])
    assert list(regret[ORACLE].get_ydata()) == [0.0, 0.0]
    assert list(other["ours"].get_xdata()) == [27.0]
    assert list(other["ours"].get_ydata()) == pytest.approx([20.0])
    assert [axes.get_xlabel() for axes in figure.axes[-2:]] == ["load", "room"]


def test_the_scatter_has_a_mark_for_each_load() -> None:
    loads = [0.35, 0.8]
    rows = results(ORACLE, [0.9, 0.9], loads) + results("ours", [0.81, 0.72], loads)
    (axes,) = scattered(summarise(rows)).axes
    marks = [
        (line.get_marker(), *line.get_ydata())
        for line in axes.lines
        if line.get_marker() in ("o", "s") and len(line.get_ydata()) == 1
    ]
    assert ("o", pytest.approx(10.0)) in marks and ("s", pytest.approx(20.0)) in marks


def test_everyone_has_a_colour() -> None:
    names = [ORACLE, *(each.name for each in contestants())]
    assert len({colour(name) for name in names}) == len(names) == len(COLOURS)
