from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from edge_daemon.tier import Tier
from tests.tools.simulation.made import BOARD
from tools.simulation import kinds, shapes
from tools.simulation.kinds import Maker
from tools.simulation.sets import FRESH, LOADS, SCORING, TUNING, traces
from tools.simulation.trace import Trace

ARRAYS = ("foreign", "neighbours_mib", "ambient_c", "cooling", "slowdown", "on_mains")


@pytest.fixture(scope="module")
def scoring() -> list[Trace]:
    return traces(SCORING, BOARD)


@pytest.fixture(scope="module")
def sets(scoring: list[Trace]) -> list[list[Trace]]:
    return [scoring, traces(TUNING, BOARD), traces(FRESH, BOARD)]


def test_the_sets_share_nothing(sets: list[list[Trace]]) -> None:
    for one, other in combinations(sets, 2):
        assert not {trace.seed for trace in one} & {trace.seed for trace in other}
        assert not {trace.steps for trace in one} & {trace.steps for trace in other}
        assert not {t.ambient_c[0] for t in one if t.kind == "waves"} & {
            t.ambient_c[0] for t in other if t.kind == "waves"
        }
        periods = [{trace.variant for trace in some if trace.variant} for some in (one, other)]
        assert periods[0] and periods[1] and not periods[0] & periods[1]
        assert {trace.kind for trace in one} == {trace.kind for trace in other}


def test_two_kinds_try_the_sensors(sets: list[list[Trace]]) -> None:
    for some in sets:
        assert {trace.kind for trace in some if trace.faulty} == {"noisy", "lost"}
        assert all(trace.faulty for trace in some if trace.kind in ("noisy", "lost"))


def test_a_set_is_always_the_same(scoring: list[Trace]) -> None:
    again = traces(SCORING, BOARD)
    assert [trace.name for trace in again] == [trace.name for trace in scoring]
    for one, other in zip(again, scoring, strict=True):
        for name in ARRAYS:
            assert np.array_equal(getattr(one, name), getattr(other, name)), (one.name, name)


def test_a_warmer_room_changes_nothing_else() -> None:
    cool, warm = (traces(TUNING, BOARD, (0.55,), warmer_c) for warmer_c in (0.0, 10.0))
    for one, other in zip(cool, warm, strict=True):
        assert np.array_equal(one.foreign, other.foreign)
        if one.kind == "ordinary":
            assert other.ambient_c - one.ambient_c == pytest.approx(10.0)


def test_traces_can_be(scoring: list[Trace]) -> None:
    for trace in scoring:
        assert trace.duration_s == pytest.approx(3600.0)
        for name in ARRAYS:
            values = getattr(trace, name)
            assert values.shape == (trace.steps,) and np.isfinite(values).all(), (trace.name, name)
        assert trace.foreign.min() >= 0.0
        assert trace.slowdown.min() > 0.5
        free_mib = BOARD.ram_mib - trace.neighbours_mib - BOARD.tiers[Tier.CRITICAL].memory_mib
        assert free_mib.min() >= 0.0, trace.name  # `critical` always fits


@pytest.mark.parametrize("load", LOADS)
def test_loads_scale(load: float, scoring: list[Trace]) -> None:
    means = [t.foreign.mean() for t in scoring if t.load == load and t.kind != "sealed"]
    assert np.mean(means) == pytest.approx(load, rel=0.2)


def make(kind: Callable[[Maker], Trace], load: float = 0.55) -> Trace:
    return kind(Maker(BOARD, load, 1, 3600.0))


def test_waves_cross_a_threshold_of_the_published_table() -> None:
    for load, edges in ((0.35, (0.28, 0.52)), (0.55, (0.58, 0.72)), (0.8, (0.78, 0.92))):
        trace = make(kinds.waves(60.0), load)
        assert sorted(set(trace.foreign.tolist())) == pytest.approx(list(edges))
        assert (np.diff(trace.foreign) != 0).sum() == 2 * 60 - 1


def test_a_leak_grows_and_is_restarted() -> None:
    taken_mib = make(kinds.leak).neighbours_mib
    drops = np.flatnonzero(np.diff(taken_mib) < -50.0)
    assert len(drops) == 2
    assert (np.diff(np.delete(taken_mib, drops + 1)) >= -200.0).all()
    assert BOARD.ram_mib - taken_mib.max() < BOARD.tiers[Tier.LOW].memory_mib


def test_high_throughout_would_use_up_the_battery_and_critical_would_not() -> None:
    trace = make(kinds.battery)
    off = ~trace.on_mains
    assert 0.7 < off.mean() < 0.9
    hours = float(off.sum()) * trace.step_s / 3600.0
    busy = float(np.minimum(1.0, trace.foreign[off]).mean())
    needs_wh = [
        (BOARD.idle_w + BOARD.busy_w * min(1.0, busy + BOARD.own_load(tier))) * hours
        for tier in (Tier.CRITICAL, Tier.HIGH)
    ]
    assert trace.battery_wh is not None
    assert needs_wh[0] < trace.battery_wh < needs_wh[1]


def test_lost_sensors_are_lost_together_once() -> None:
    lost = make(kinds.lost).lost
    together = np.logical_and.reduce(list(lost.values()))
    assert together.sum() * 0.25 >= 120.0
    assert all(0.0 < flags.mean() < 0.5 for flags in lost.values())


def test_wandering_forgets_at_its_pace() -> None:
    values = shapes.wander(np.random.default_rng(0), 400_000, 0.25, 10.0)
    assert values.mean() == pytest.approx(0.0, abs=0.1)
    assert values.std() == pytest.approx(1.0, abs=0.05)
    lag = round(10.0 / 0.25)
    assert np.corrcoef(values[:-lag], values[lag:])[0, 1] == pytest.approx(np.exp(-1), abs=0.05)


def test_squares_events_bursts_and_ramps() -> None:
    assert shapes.square(8, 0.5, 2.0).tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    steps = 4 * 36_000
    random = np.random.default_rng(1)
    moments = shapes.events(random, steps, 0.25, 100.0, 10.0)
    assert moments.mean() == pytest.approx(10.0 / 110.0, rel=0.15)
    on = shapes.bursts(random, steps, 0.25, 4.0, 8.0)
    assert on.mean() == pytest.approx(1 / 3, abs=0.12)
    edges = np.flatnonzero(np.diff(on))
    assert np.diff(edges).min() * 0.25 >= 4.0 - 0.25
    step = np.concatenate([np.zeros(10), np.ones(10)])
    assert shapes.ramped(step, 0.5, 2.0)[8:16].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]


def test_a_day_has_a_mean_of_one() -> None:
    values = shapes.day(10_000, 1.0, 10_000.0, 0.0)
    assert values.mean() == pytest.approx(1.0, abs=1e-3)
    assert values[0] < 0.4 < 1.5 < values.max()
