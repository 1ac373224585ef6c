import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.choice.score import W, score

shares = st.floats(0.01, 1.0)
times = st.floats(1.0, 1e5)


def test_at_the_target_it_is_the_accuracy() -> None:
    assert score(0.93, 40.0, 40.0) == pytest.approx(0.93)


def test_twice_the_time_costs_five_per_cent() -> None:
    assert score(0.93, 80.0, 40.0) / 0.93 == pytest.approx(0.9526, abs=1e-4)


@given(shares, times, times, times)
def test_slower_is_worse_and_more_accurate_is_better(
    accuracy: float, one: float, other: float, target: float
) -> None:
    if other > one * 1.001:
        assert score(accuracy, one, target) > score(accuracy, other, target)
    assert score(accuracy / 2, one, target) < score(accuracy, one, target)


@given(shares, shares, times, times, times)
def test_the_target_changes_no_order(
    accuracy: float, other: float, one_us: float, other_us: float, target: float
) -> None:
    ratio = score(accuracy, one_us, 1.0) / score(other, other_us, 1.0)
    again = score(accuracy, one_us, target) / score(other, other_us, target)
    assert ratio == pytest.approx(again, rel=1e-9)


@pytest.mark.parametrize("w", [0.0, 0.07, math.nan])
def test_w_must_be_below_0(w: float) -> None:
    with pytest.raises(ValueError, match="reward slow models; it must be below 0"):
        score(0.9, 40.0, 40.0, w)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((93.0, 40.0, 40.0), "accuracy is 93"),
        ((math.nan, 40.0, 40.0), "accuracy is nan"),
        ((0.9, 0.0, 40.0), "latency_us is 0"),
        ((0.9, math.inf, 40.0), "latency_us is inf"),
        ((0.9, 40.0, -1.0), "target_us is -1"),
    ],
)
def test_impossible_figures_are_refused(arguments: tuple[float, float, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        score(*arguments)


def test_the_usual_exponent_is_that_of_the_paper() -> None:
    assert W == -0.07
