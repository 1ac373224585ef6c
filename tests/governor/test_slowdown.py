import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.slowdown import (
    NOISE,
    Slowdown,
    expected_cycle_ms,
    observe,
    own_share,
    quantile,
)
from edge_daemon.tier import TIERS, Tier

PROFILE = replace(PUBLISHED, measured=True, cores=4.0, contention=0.3)


def run(
    factor: float,
    readings: int,
    *,
    scatter: float = 0.0,
    before: Slowdown | None = None,
    span_s: float = 1.0,
    seed: int = 0,
) -> Slowdown:
    rng = random.Random(seed)
    slowdown = before or Slowdown()
    for _ in range(readings):
        slowdown = observe(slowdown, factor * math.exp(rng.gauss(0, scatter)), 10, span_s)
    return slowdown


def test_an_idle_board_at_full_clock_is_what_was_profiled() -> None:
    for tier in TIERS:
        assert expected_cycle_ms(PROFILE, tier, 0.0, 0.1, 1.0) == PROFILE.tiers[tier].cycle_ms


def test_contention_is_all_there_with_all_cores_but_one_busy() -> None:
    def stretch(load: float) -> float:
        return expected_cycle_ms(PROFILE, Tier.HIGH, load, 0.0, 1.0) / 32.8

    assert stretch(0.375) == pytest.approx(1.15)
    assert stretch(0.75) == pytest.approx(1.3)
    assert stretch(1.0) == pytest.approx(1.3)


def test_what_all_ask_for_beyond_the_cores_stretches_a_window() -> None:
    assert expected_cycle_ms(PROFILE, Tier.HIGH, 1.0, 0.5, 1.0) == pytest.approx(32.8 * 1.3 * 1.5)
    assert expected_cycle_ms(PROFILE, Tier.HIGH, 0.5, 0.5, 1.0) == pytest.approx(32.8 * 1.2)


def test_a_slow_clock_slows_a_window_on_an_idle_board_too() -> None:
    assert expected_cycle_ms(PROFILE, Tier.LOW, 0.0, 0.1, 0.5) == pytest.approx(25.0)
    # Beside others it also does less of what is asked for.
    saturated = expected_cycle_ms(PROFILE, Tier.LOW, 0.75, 0.25, 0.5)
    assert saturated == pytest.approx(12.5 * 1.3 / 0.5 * 2.0)


def test_one_core_alone_has_no_contention_to_divide_by() -> None:
    single = replace(PROFILE, cores=1.0)
    assert expected_cycle_ms(single, Tier.LOW, 0.5, 0.5, 1.0) == pytest.approx(12.5 * 1.15)


def test_own_share_is_a_window_each_period_on_the_cores_there_are() -> None:
    assert own_share(PROFILE, Tier.HIGH) == pytest.approx(32.8 / 100 / 4)
    assert own_share(PROFILE, Tier.HIGH, cores=2.0) == pytest.approx(32.8 / 100 / 2)
    assert own_share(replace(PROFILE, period_ms=10.0), Tier.HIGH) == pytest.approx(1 / 4)


@given(
    tier=st.sampled_from(TIERS),
    load=st.floats(0.0, 1.0),
    own=st.floats(0.0, 1.0),
    clock=st.floats(0.1, 1.0),
    more=st.floats(0.0, 0.5),
)
def test_nothing_that_is_worse_makes_a_window_faster(
    tier: Tier, load: float, own: float, clock: float, more: float
) -> None:
    now_ms = expected_cycle_ms(PROFILE, tier, load, own, clock)
    assert now_ms >= PROFILE.tiers[tier].cycle_ms
    assert expected_cycle_ms(PROFILE, tier, load + more, own, clock) >= now_ms
    assert expected_cycle_ms(PROFILE, tier, load, own + more, clock) >= now_ms
    assert expected_cycle_ms(PROFILE, tier, load, own, clock * (1 - more)) >= now_ms


@given(*[st.floats() | st.floats(-1, 2)] * 3)
def test_an_expected_time_is_a_number_whatever_comes_in(
    load: float, own: float, clock: float
) -> None:
    assert 0.0 < expected_cycle_ms(PROFILE, Tier.LOW, load, own, clock) < math.inf


@pytest.mark.parametrize("factor", [1 / 3, 0.7, 1.5, 3.0, 6.0])
def test_a_wrong_profile_is_found_out_within_20_s(factor: float) -> None:
    for seed in range(5):
        slowdown = run(factor, 20, scatter=0.05, seed=seed)
        assert slowdown.mean == pytest.approx(factor, rel=0.15)


@pytest.mark.parametrize("span_s", [0.5, 2.0])
def test_and_at_other_poll_periods(span_s: float) -> None:
    slowdown = run(3.0, int(20 / span_s), scatter=0.05, span_s=span_s)
    assert slowdown.mean == pytest.approx(3.0, rel=0.15)


def test_a_change_is_followed_after_hours_of_the_same() -> None:
    settled = run(1.0, 7200, scatter=0.05)
    assert settled.mean == pytest.approx(1.0, rel=0.05)
    assert run(2.0, 15, scatter=0.05, before=settled, seed=1).mean == pytest.approx(2.0, rel=0.15)


def test_in_steady_state_it_is_steadier_than_the_readings() -> None:
    rng = random.Random(4)
    slowdown = run(1.2, 100, scatter=0.1)
    squares = readings = 0.0
    for _ in range(2000):
        ratio = 1.2 * math.exp(rng.gauss(0, 0.1))
        slowdown = observe(slowdown, ratio, 10, 1.0)
        squares += (slowdown.mean - 1.2) ** 2
        readings += (ratio - 1.2) ** 2
    assert squares < 0.25 * readings


@pytest.mark.parametrize("scatter", [0.03, 0.1, 0.2])
def test_the_quantile_covers_what_it_says(scatter: float) -> None:
    rng = random.Random(5)
    slowdown = run(1.0, 100, scatter=scatter)
    below = 0
    for _ in range(3000):
        ratio = math.exp(rng.gauss(0, scatter))
        below += ratio <= quantile(slowdown, 1.645)
        slowdown = observe(slowdown, ratio, 10, 1.0)
    assert 0.92 <= below / 3000 <= 0.98


def test_the_scatter_of_single_windows_is_added() -> None:
    slowdown = Slowdown(mean=2.0, variance=0.01, noise=0.02, moving=-0.5)
    assert quantile(slowdown, 2.0) == pytest.approx(2.0 + 2 * math.sqrt(0.03))
    assert quantile(slowdown, 2.0, 0.1) == pytest.approx(2.0 + 2 * math.sqrt(0.03 + 0.04))
    assert quantile(replace(slowdown, moving=0.01), 2.0) == pytest.approx(2.0 + 2 * math.sqrt(0.04))


def test_a_profile_of_this_board_is_trusted_until_windows_say_otherwise() -> None:
    assert quantile(Slowdown(), 0.0) == 1.0
    assert quantile(Slowdown(), 1.0) == pytest.approx(1.0 + math.sqrt(0.0125))
    steady = observe(Slowdown(), 1.0, 10, 1.0)
    assert steady.mean == 1.0
    assert steady.variance < Slowdown().variance


def test_one_reading_is_no_movement() -> None:
    first = observe(Slowdown(), 1.1, 10, 1.0)
    assert first.moving == 0.0
    assert observe(first, 1.2, 10, 1.0).moving > 0.0


def test_windows_that_always_take_the_same_scatter_a_little_all_the_same() -> None:
    steady = run(3.0, 300)
    assert math.sqrt(steady.noise) == pytest.approx(NOISE.least * 3.0)


def test_a_board_twenty_times_as_fast_is_a_reading() -> None:
    assert run(0.06, 60).mean == pytest.approx(0.06, rel=0.05)


def test_one_outlier_moves_little() -> None:
    settled = run(1.0, 200, scatter=0.05)
    after = observe(settled, 50.0, 10, 1.0)
    assert after.mean < 1.1
    assert run(1.0, 10, scatter=0.05, before=after).mean == pytest.approx(1.0, rel=0.05)


def test_a_reading_of_few_windows_weighs_less() -> None:
    moves = [observe(Slowdown(), 1.1, count, 1.0).mean - 1.0 for count in (1, 2, 5, 50)]
    assert moves[0] < moves[1] < moves[2] == moves[3]


def test_without_windows_only_the_doubt_grows_and_not_for_ever() -> None:
    settled = run(1.5, 300, scatter=0.05)
    later = settled
    for _ in range(60):
        later = observe(later, None, 0, 1.0)
    assert later.mean == settled.mean
    assert later.noise == settled.noise
    assert later.variance == pytest.approx(settled.variance + 60e-4 * settled.mean**2, rel=1e-6)
    forever = observe(later, None, 0, 1e9)
    assert forever.variance == pytest.approx(NOISE.idle_variance * settled.mean**2)


@pytest.mark.parametrize("ratio", [None, 0.0, -1.0, math.nan, math.inf])
def test_what_is_no_ratio_is_no_reading(ratio: float | None) -> None:
    assert observe(Slowdown(), ratio, 10, 1.0) == observe(Slowdown(), None, 0, 1.0)
    assert observe(Slowdown(), 1.2, 0, 1.0) == observe(Slowdown(), None, 0, 1.0)


@given(
    st.lists(
        st.tuples(st.none() | st.floats(), st.integers(-3, 10**9), st.floats(0.0, 1e9)),
        max_size=40,
    ),
    st.floats(),
    st.floats(0.0, 10.0),
)
def test_it_is_finite_and_its_variances_are_positive_whatever_comes_in(
    readings: list[tuple[float | None, int, float]], z: float, jitter: float
) -> None:
    slowdown = Slowdown()
    for ratio, count, span_s in readings:
        slowdown = observe(slowdown, ratio, count, span_s)
        assert all(map(math.isfinite, astuple(slowdown)))
        assert slowdown.mean > 0.0
        assert slowdown.variance > 0.0
        assert slowdown.noise > 0.0
        assert 0.0 < quantile(slowdown, z, jitter) < math.inf
