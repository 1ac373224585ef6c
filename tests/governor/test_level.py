import math
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from edge_daemon.governor.level import Level, Pace, begin, follow

LOAD = Pace(rise=0.5, fall=0.15, sigma=0.05, sigma_least=0.01)
SURE = Pace(rise=0.7, fall=0.15, sigma=0.05, sigma_least=0.01, confirm_s=1.75)
EVEN = Pace(rise=0.2, fall=0.2, sigma=0.05, sigma_least=0.001)


def run(
    values: Iterable[float | None], pace: Pace, span_s: float = 1.0, level: Level | None = None
) -> Level:
    level = begin(None, pace) if level is None else level
    for value in values:
        level = follow(level, value, span_s, pace)
    return level


def known(level: Level) -> float:
    assert level.value is not None
    return level.value


def test_the_first_value_is_believed_at_once() -> None:
    assert run([0.4], LOAD) == Level(0.4, sigma=0.05, rate=0.0, age_s=0.0, seen=0.4)


def test_each_direction_has_its_own_pace() -> None:
    assert known(run([0.2, 0.6], LOAD)) == pytest.approx(0.2 + 0.5 * 0.4)
    assert known(run([0.6, 0.2], LOAD)) == pytest.approx(0.6 - 0.15 * 0.4)


@pytest.mark.parametrize("parts", [1, 2, 5, 8])
@pytest.mark.parametrize("target", [0.9, 0.1])
def test_how_often_it_is_looked_at_changes_nothing(parts: int, target: float) -> None:
    whole = run([target], LOAD, 4.0, begin(0.5, LOAD))
    split = run([target] * parts, LOAD, 4.0 / parts, begin(0.5, LOAD))
    assert known(split) == pytest.approx(known(whole))


def test_a_reading_that_was_missing_counts_as_time_that_passed() -> None:
    with_hole = run([0.5, None, 0.9], LOAD)
    longer = follow(run([0.5], LOAD), 0.9, 2.0, LOAD)
    assert with_hole == longer


def test_a_value_is_held_for_a_while_and_then_not_known() -> None:
    held = run([0.5, 0.5] + [None] * 5, LOAD)
    assert (held.value, held.age_s) == (0.5, 5.0)
    assert follow(held, None, 1.0, LOAD) == begin(None, LOAD)
    assert follow(begin(None, LOAD), None, 1.0, LOAD).value is None


def test_the_scatter_is_that_of_the_signal() -> None:
    rng = random.Random(1)
    level = run((rng.gauss(0.5, 0.08) for _ in range(200)), EVEN)
    sigmas = []
    for _ in range(2000):
        level = follow(level, rng.gauss(0.5, 0.08), 1.0, EVEN)
        sigmas.append(level.sigma)
    # A reading scatters around a filtered value that scatters itself: σ² (1 + α / (2 - α)).
    expected = 0.08 * math.sqrt(1 + 0.2 / 1.8)
    assert sum(sigmas) / len(sigmas) == pytest.approx(expected, rel=0.1)


def test_one_outlier_does_little_to_the_scatter() -> None:
    quiet = run([0.3] * 50, LOAD)
    assert quiet.sigma == LOAD.sigma_least
    assert follow(quiet, 1.0, 1.0, LOAD).sigma == pytest.approx(0.01 * math.sqrt(1 + 0.1 * 8))


@pytest.mark.parametrize("slope", [-2.0, -0.3, 0.3, 2.0])
@pytest.mark.parametrize("span_s", [0.5, 1.0, 2.0])
def test_the_slope_of_a_ramp(slope: float, span_s: float) -> None:
    pace = Pace(rise=0.1, fall=0.7, sigma=4.0, sigma_least=1.0)
    level = run((500 + slope * span_s * step for step in range(200)), pace, span_s)
    assert level.rate == pytest.approx(slope, rel=0.01)


def test_the_slope_ends_with_the_ramp() -> None:
    level = run([float(value) for value in range(50)] + [49.0] * 60, EVEN)
    assert level.rate == pytest.approx(0.0, abs=1e-4)


@given(
    st.lists(
        st.tuples(st.none() | st.floats(-1e9, 1e9), st.floats(1e-3, 1e6)), min_size=1, max_size=30
    ),
    st.sampled_from([LOAD, SURE]),
)
def test_what_goes_in_finite_comes_out_finite_and_between(
    readings: list[tuple[float | None, float]], pace: Pace
) -> None:
    level = begin(None, pace)
    seen: list[float] = []
    for value, span_s in readings:
        if value is not None:
            seen.append(value)
        level = follow(level, value, span_s, pace)
        assert all(math.isfinite(number) for number in astuple(level) if number is not None)
        assert level.sigma >= pace.sigma_least
        assert level.age_s <= pace.hold_s
        if level.value is not None:
            rounding = 1e-6 * max(map(abs, seen), default=0.0)
            assert min(seen) - rounding <= level.value <= max(seen) + rounding


@pytest.mark.parametrize(("span_s", "unbelieved"), [(0.5, 3), (1.0, 1), (2.0, 0)])
def test_a_rise_is_believed_once_it_has_lasted(span_s: float, unbelieved: int) -> None:
    level = run([0.2] * 5, SURE, span_s)
    before = run([0.7] * unbelieved, SURE, span_s, level)
    assert before.value == 0.2
    share = 1 - 0.3**span_s
    assert known(follow(before, 0.7, span_s, SURE)) == pytest.approx(0.2 + share * 0.5)


def test_peaks_of_a_reading_are_no_rise_however_often_they_come() -> None:
    level = run([0.2, 1.0, 0.2, 0.2, 1.0, 0.2, 1.0, 0.2] * 20, SURE)
    assert level.value == pytest.approx(0.2)
    assert level.sigma > 0.2


def test_of_a_rise_as_much_is_believed_as_two_readings_show() -> None:
    level = run([0.2, 0.2, 1.0, 0.4], SURE)
    assert known(level) == pytest.approx(0.2 + 0.7 * 0.2)
    again = follow(level, 0.9, 1.0, SURE)
    assert known(again) == pytest.approx(known(level) + 0.7 * (0.4 - known(level)))
    # One that the value has passed since says nothing against it.
    passed = Level(0.5, 0.05, seen=0.45, rising_s=3.0)
    assert follow(passed, 0.9, 1.0, SURE).value == 0.5


def test_a_fall_needs_no_confirmation_and_ends_a_rise() -> None:
    level = run([0.5, 0.5, 1.0, 0.4, 1.0], SURE)
    assert known(level) == pytest.approx(0.5 - 0.15 * 0.1)


def test_a_rise_goes_on_through_a_missing_reading() -> None:
    assert known(run([0.2, 0.6, None, 0.6], SURE)) == pytest.approx(0.2 + (1 - 0.3**2) * 0.4)


def test_a_whole_pace_is_the_last_reading() -> None:
    last = replace(EVEN, rise=1.0, fall=1.0)
    assert run([50.0, 61.5, 48.0], last).value == 48.0
