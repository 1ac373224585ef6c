import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.heat import (
    PRIOR,
    Covariance,
    Heat,
    HeatPrior,
    begin,
    feasible,
    move,
    observe,
    resume,
    rise_c,
)

Load = Callable[[int], float]


class Board:
    """A board with known gains whose ambient wanders, and a sensor with coarse steps."""

    def __init__(
        self,
        fast_k: float,
        slow_k: float,
        *,
        step_c: float = 0.5,
        wander_c: float = 0.1,
        seed: int = 0,
        drive: float = 0.4,
    ) -> None:
        self.fast_k, self.slow_k = fast_k, slow_k
        self.step_c = step_c
        self.wander_c = wander_c  # in a minute
        self.rng = random.Random(seed)
        self.ambient_c = 25.0
        self.fast = self.slow = drive

    def run(self, drive: float, span_s: float = 1.0) -> float:
        """Return what the sensor says after that long under `drive`."""
        self.fast = drive + (self.fast - drive) * math.exp(-span_s / 5)
        self.slow = drive + (self.slow - drive) * math.exp(-span_s / 200)
        self.ambient_c += self.rng.gauss(0, self.wander_c * math.sqrt(span_s / 60))
        warm_c = self.ambient_c + self.fast_k * self.fast + self.slow_k * self.slow
        return round((warm_c + self.rng.gauss(0, 0.1)) / self.step_c) * self.step_c


def steps(every_s: int, seed: int = 0) -> Load:
    return lambda at_s: random.Random(seed * 1_000_003 + at_s // every_s).uniform(0.05, 0.95)


def learn(board: Board, load: Load, seconds: int, model: Heat | None = None) -> Heat:
    model = Heat() if model is None else model
    for at_s in range(seconds):
        model = observe(model, load(at_s), board.run(load(at_s)), 1.0)
    return model


@pytest.mark.parametrize("step_c", [0.5, 1.0])
@pytest.mark.parametrize(("fast_k", "slow_k"), [(2.8, 15.6), (5.0, 30.0), (6.0, 10.0), (1.5, 25.0)])
def test_the_gains_are_learnt_from_a_load_that_changes(
    fast_k: float, slow_k: float, step_c: float
) -> None:
    for seed in range(3):
        board = Board(fast_k, slow_k, step_c=step_c, seed=seed)
        model = learn(board, steps(60, seed), 3600)
        assert model.fast_k == pytest.approx(fast_k, rel=0.2)
        assert model.slow_k == pytest.approx(slow_k, rel=0.2)


@pytest.mark.parametrize("wander_c", [0.0, 0.1, 0.3])
def test_a_load_that_never_changes_says_nothing_of_the_gains(wander_c: float) -> None:
    board = Board(5.0, 30.0, wander_c=wander_c)
    model = learn(board, lambda _: 0.4, 6 * 3600)
    assert model.fast_k == pytest.approx(PRIOR.fast_k, rel=0.1)
    assert model.slow_k == pytest.approx(PRIOR.slow_k, rel=0.15)


def test_what_a_day_without_work_does_to_the_covariance() -> None:
    model = learn(Board(5.0, 30.0), steps(60), 3600)
    narrow = model.covariance
    for _ in range(24 * 360):
        model = observe(model, 0.3, 40.0, 10.0)
    _, _, _, ff, _, ss = model.covariance
    assert narrow[3] < 0.2 * PRIOR.fast_sigma_k**2
    assert narrow[3] < ff <= PRIOR.fast_sigma_k**2
    assert narrow[5] < 0.2 * PRIOR.slow_sigma_k**2
    assert narrow[5] < ss <= PRIOR.slow_sigma_k**2


def test_gains_are_forgotten_as_slowly_as_they_should() -> None:
    model = learn(Board(5.0, 30.0), steps(60), 3600)
    later = model
    for _ in range(360):
        later = observe(later, 0.3, None, 10.0)
    left = (later.slow_k - PRIOR.slow_k) / (model.slow_k - PRIOR.slow_k)
    assert left == pytest.approx(math.exp(-1 / 24), rel=0.001)


def test_a_fan_that_fails_is_noticed_in_half_an_hour() -> None:
    board = Board(2.8, 10.0)
    model = learn(board, steps(60), 3600)
    board.slow_k = 25.0
    model = learn(board, steps(60, seed=1), 1800, model)
    assert model.slow_k == pytest.approx(25.0, rel=0.2)


@pytest.mark.parametrize("span_s", [0.5, 2.0, 5.0])
def test_the_poll_period_changes_nothing(span_s: float) -> None:
    board = Board(5.0, 25.0)
    load = steps(60)
    model = Heat()
    for poll in range(int(3600 / span_s)):
        drive = load(int(poll * span_s))
        model = observe(model, drive, board.run(drive, span_s), span_s)
    assert model.fast_k == pytest.approx(5.0, rel=0.2)
    assert model.slow_k == pytest.approx(25.0, rel=0.2)


def test_it_is_regularised_least_squares_where_nothing_drifts() -> None:
    prior = HeatPrior(
        ambient_drift_c=0.0, memory_s=1e15, reach_s=0.0, noise_c=0.4, outlier=1e9, fast_k=4.0
    )
    rng = np.random.default_rng(3)
    drives = rng.uniform(0.1, 0.9, 50)
    seen_c = 30 + rng.uniform(0, 20, 50)
    model = begin(prior)
    rows, fast, slow = [], drives[0], drives[0]
    for drive, temperature_c in zip(drives, seen_c, strict=True):
        model = observe(model, float(drive), float(temperature_c), 3.0)
        fast = drive + (fast - drive) * math.exp(-3 / 5)
        slow = drive + (slow - drive) * math.exp(-3 / 200)
        rows.append((1.0, fast, slow))
    # The first reading only places the ambient's prior.
    start = np.array([seen_c[0] - (4.0 + 15.6) * drives[0], 4.0, 15.6])
    weights = np.diag(1 / np.array([15.0, 2.8, 12.0]) ** 2)
    design = np.array(rows[1:])
    information = design.T @ design / 0.4**2 + weights
    expected = np.linalg.solve(information, design.T @ seen_c[1:] / 0.4**2 + weights @ start)
    np.testing.assert_allclose(model.free, expected, rtol=1e-6)
    aa, af, as_, ff, fs, ss = model.covariance
    covariance = [[aa, af, as_], [af, ff, fs], [as_, fs, ss]]
    np.testing.assert_allclose(covariance, np.linalg.inv(information), rtol=1e-5, atol=1e-9)


def test_a_board_that_cools_under_load_has_no_negative_gain() -> None:
    board = Board(-4.0, -20.0)
    model = learn(board, steps(60), 3600)
    assert model.free[1] < 0.0
    assert model.free[2] < 0.0
    assert (model.fast_k, model.slow_k) == (0.0, 0.0)
    assert rise_c(model, 0.5, 60.0) == 0.0


numbers = st.floats(-10, 10).map(lambda value: round(value, 3))
roots = st.lists(numbers, min_size=9, max_size=9)


@given(roots, st.tuples(numbers, numbers, numbers), st.lists(numbers, min_size=30, max_size=30))
def test_no_feasible_parameters_are_more_probable(
    root: list[float], free: tuple[float, float, float], others: list[float]
) -> None:
    half = np.array(root).reshape(3, 3)
    matrix = half @ half.T + 0.1 * np.eye(3)
    assume(np.linalg.cond(matrix) < 1e6)
    precision = np.linalg.inv(matrix)

    def cost(point: np.ndarray) -> float:
        apart = point - np.array(free)
        return float(apart @ precision @ apart)

    (aa, af, as_), (_, ff, fs), (_, _, ss) = matrix.tolist()
    covariance: Covariance = (aa, af, as_, ff, fs, ss)
    best = np.array(feasible(free, covariance))
    assert best[1] >= 0.0
    assert best[2] >= 0.0
    lowest = cost(best)
    for other in np.array(others).reshape(10, 3):
        for share in (1.0, 0.1, 1e-3):
            point = best + share * (other - best)
            point[1:] = np.maximum(0.0, point[1:])
            assert cost(point) >= lowest - 1e-6 * (1 + lowest)


def test_gains_that_make_sense_are_left_alone() -> None:
    for free in ((20.0, 0.01, 5.0), (20.0, 5.0, 0.01), (20.0, 0.0, 0.0)):
        assert feasible(free, (1, 0.5, 0.5, 4, -2, 9)) == free


def test_the_constraint_is_more_than_cutting_off() -> None:
    # A fast gain that cannot be below 0 leaves more for the slow one, which it is mistaken for.
    assert feasible((20.0, -2.0, 5.0), (1, 0, 0, 4, -2, 9)) == (20.0, 0.0, 4.0)
    assert feasible((20.0, 5.0, -3.0), (1, 0, 2, 4, -2, 9)) == pytest.approx(
        (20 + 2 / 3, 5 - 2 / 3, 0)
    )


def test_forecasts_of_switches_beat_persistence() -> None:
    rising = still = 0.0
    count = 0
    for seed in range(4):
        board = Board(4.0, 22.0, step_c=1.0, wander_c=0.3, seed=seed)
        load = steps(120, seed)
        model = Heat()
        pending: tuple[int, float, float] | None = None
        for at_s in range(4 * 3600):
            now_c = board.run(load(at_s))
            model = observe(model, load(at_s), now_c, 1.0)
            if pending is not None and at_s == pending[0]:
                _, then_c, foreseen_c = pending
                still += (now_c - then_c) ** 2
                rising += (now_c - foreseen_c) ** 2
                count += 1
            change = load(at_s + 1) - load(at_s)
            if at_s > 1200 and abs(change) > 0.25:
                pending = (at_s + 60, now_c, now_c + rise_c(model, change, 60.0))
    assert count > 100
    assert rising < 0.25 * still


def test_how_much_a_change_adds_and_when() -> None:
    model = Heat(fast_k=3.0, slow_k=12.0)
    assert rise_c(model, 0.5, 1e9) == pytest.approx(7.5)
    assert rise_c(model, -0.5, 1e9) == pytest.approx(-7.5)
    after_60_s = 3 * (1 - math.exp(-12)) + 12 * (1 - math.exp(-0.3))
    assert rise_c(model, 1.0, 60.0) == pytest.approx(after_60_s)
    assert rise_c(model, 1.0, 0.0) == 0.0


@pytest.mark.parametrize("change", [math.nan, math.inf, -math.inf])
def test_a_change_that_is_no_number_adds_nothing(change: float) -> None:
    assert rise_c(Heat(), change, 60.0) == 0.0
    assert rise_c(Heat(), 0.5, math.nan) == 0.0


def test_one_outlier_of_the_sensor_does_little() -> None:
    model = learn(Board(2.8, 15.6), steps(60), 1800)
    after = observe(model, 0.5, 120.0, 1.0)
    assert after.fast_k == pytest.approx(model.fast_k, abs=0.3)
    assert after.slow_k == pytest.approx(model.slow_k, abs=1.5)


def test_a_suspend_keeps_the_gains_and_reads_the_cooling_off_the_temperature() -> None:
    board = Board(2.8, 15.6)
    model = learn(board, lambda at_s: 0.2 + 0.6 * (at_s // 120 % 2), 3600)
    board.fast = board.slow = 0.0  # the night
    later = resume(model, 0.3, board.run(0.3, 30.0))
    assert (later.fast_k, later.slow_k) == (model.fast_k, model.slow_k)
    assert later.slow == pytest.approx(board.slow, abs=0.1)
    assert later.ambient_c == pytest.approx(model.ambient_c, abs=0.5)
    # Under the load as it was, the board heats up again: that is no news of the gains.
    later = learn(board, lambda _: 0.3, 600, later)
    assert later.slow_k == pytest.approx(model.slow_k, rel=0.1)


def test_a_board_cannot_have_heated_by_more_than_full_work() -> None:
    model = learn(Board(2.8, 15.6), lambda _: 0.4, 600)
    hot = resume(model, 0.4, 90.0)
    assert hot.slow == 1.0
    assert hot.ambient_c == pytest.approx(90.0 - model.fast_k * 0.4 - model.slow_k)


def test_what_the_old_ambient_cannot_explain_is_another_one() -> None:
    model = learn(Board(2.8, 15.6), lambda _: 0.4, 600)
    cold = resume(model, 0.4, 5.0)
    assert cold.slow == 0.0
    assert cold.ambient_c == pytest.approx(5.0 - model.fast_k * 0.4)


def test_another_sensor_is_another_ambient_and_nothing_more() -> None:
    model = learn(Board(2.8, 15.6), steps(60), 1800)
    moved = move(model, 60.0)
    assert moved.ambient_c == pytest.approx(
        60.0 - model.fast_k * model.fast - model.slow_k * model.slow
    )
    assert (
        replace(moved, ambient_c=model.ambient_c, free=model.free, covariance=model.covariance)
        == model
    )
    again = observe(moved, 0.5, 60.5, 1.0)
    assert again.slow_k == pytest.approx(model.slow_k, rel=0.05)


def test_the_defaults_are_those_of_the_prior() -> None:
    assert begin(PRIOR) == Heat()
    variances = (PRIOR.fast_sigma_k**2, 0.0, PRIOR.slow_sigma_k**2)
    assert Heat().covariance == (0.0, 0.0, 0.0, *variances)


def test_without_a_sensor_only_the_drive_is_followed() -> None:
    model = observe(observe(Heat(), 0.2, None, 1.0), 0.8, None, 5.0)
    assert model.ambient_c is None
    assert model.fast == pytest.approx(0.8 - 0.6 * math.exp(-1))
    assert model.slow == pytest.approx(0.8 - 0.6 * math.exp(-5 / 200))
    assert observe(Heat(), None, 50.0, 1.0) == Heat()
    late = observe(model, 0.8, 50.0, 1.0)
    assert late.ambient_c is not None
    assert late.ambient_c + late.fast_k * late.fast + late.slow_k * late.slow == pytest.approx(50)


def test_an_unknown_drive_goes_on_as_the_last_one() -> None:
    model = observe(observe(Heat(), 0.2, 50.0, 1.0), 0.8, 50.5, 1.0)
    assert observe(model, None, 51.0, 1.0) == observe(model, 0.8, 51.0, 1.0)


wild = st.none() | st.floats() | st.floats(0.0, 1.0)


@given(
    st.lists(
        st.tuples(
            wild,
            st.none() | st.floats(-60.0, 250.0) | st.sampled_from([math.nan, math.inf]),
            st.floats(1e-3, 1e7),
            st.integers(0, 9),
        ),
        max_size=60,
    )
)
def test_it_is_finite_and_its_gains_are_not_negative_whatever_comes_in(
    readings: list[tuple[float | None, float | None, float, int]],
) -> None:
    model = Heat()
    for drive, temperature_c, span_s, chance in readings:
        if chance == 0:
            model = resume(model, drive, temperature_c)
        elif chance == 1:
            model = move(model, temperature_c)
        else:
            model = observe(model, drive, temperature_c, span_s)
        parts = (model.fast_k, model.slow_k, model.ambient_c or 0.0, model.fast, model.slow)
        assert all(map(math.isfinite, (*parts, *model.free, *model.covariance)))
        assert model.fast_k >= 0.0
        assert model.slow_k >= 0.0
        aa, _, _, ff, _, ss = model.covariance
        assert 0.0 <= aa <= PRIOR.ambient_sigma_c**2 + 1e-9
        assert 0.0 < ff <= PRIOR.fast_sigma_k**2 + 1e-9
        assert 0.0 < ss <= PRIOR.slow_sigma_k**2 + 1e-9
        assert math.isfinite(rise_c(model, 0.5, 60.0))
