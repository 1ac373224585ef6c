import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.governor.runtime import MAX_GAP_S, TAU_S, MeanPower, runtime_s
from tests.governor.sysroot import seconds


def test_a_constant_power_is_its_own_mean() -> None:
    mean = MeanPower(5.0)
    assert [mean.add(4.0, seconds(5 * n)) for n in range(9)] == pytest.approx([4.0] * 9)


def test_a_step_is_followed_with_the_time_constant() -> None:
    mean = MeanPower(5.0)
    for n in range(200):
        before_w = mean.add(2.0, seconds(5 * n))
    assert before_w == pytest.approx(2.0)
    for n in range(200, 212):
        after_w = mean.add(6.0, seconds(5 * n))
    assert after_w == pytest.approx(2.0 + 4.0 * (1 - math.exp(-60 / TAU_S)), rel=1e-3)


def test_the_second_value_counts_as_much_as_the_first() -> None:
    mean = MeanPower(5.0)
    mean.add(2.0, 0)
    assert mean.add(4.0, seconds(5)) == pytest.approx(3.0, abs=0.1)


def test_noise_is_averaged_away() -> None:
    noise = random.Random(5)
    mean = MeanPower(5.0)
    values = [mean.add(noise.uniform(2.0, 6.0), seconds(5 * n)) for n in range(400)]
    assert max(values[50:]) < 5.2
    assert min(values[50:]) > 2.8


@pytest.mark.parametrize("at_s", [100 + MAX_GAP_S + 1, 90])
def test_after_a_pause_or_a_clock_that_went_back_the_mean_begins_anew(at_s: float) -> None:
    mean = MeanPower(5.0)
    mean.add(2.0, seconds(100))
    assert mean.add(8.0, seconds(at_s)) == 8.0


def test_what_is_forgotten_does_not_count() -> None:
    mean = MeanPower(5.0)
    mean.add(2.0, 0)
    mean.forget()
    assert mean.add(8.0, seconds(5)) == 8.0


def test_the_same_moment_twice_counts_once() -> None:
    mean = MeanPower(5.0)
    mean.add(2.0, 0)
    assert mean.add(8.0, 0) == 2.0


@given(st.lists(st.tuples(st.floats(0.01, 1000), st.integers(-(10**12), 10**12)), min_size=1))
def test_the_mean_lies_among_the_values(steps: list[tuple[float, int]]) -> None:
    mean, now_ns = MeanPower(5.0), 0
    for power_w, step_ns in steps:
        now_ns += step_ns
        value_w = mean.add(power_w, now_ns)
        assert min(w for w, _ in steps) * 0.999 <= value_w <= max(w for w, _ in steps) * 1.001


@pytest.mark.parametrize(
    ("energy_wh", "power_w", "left_s"),
    [
        (20.0, 4.0, 18_000.0),
        (0.0, 4.0, 0.0),
        (None, 4.0, None),
        (20.0, None, None),
        (20.0, 0.0, None),
        (1e6, 0.01, 30 * 86_400.0),
    ],
)
def test_how_long_an_energy_lasts(
    energy_wh: float | None, power_w: float | None, left_s: float | None
) -> None:
    assert runtime_s(energy_wh, power_w) == left_s
