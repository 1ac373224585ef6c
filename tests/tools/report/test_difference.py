import numpy as np
import pytest

from tools.report.difference import paired_difference


def test_the_value_is_the_difference_of_the_shares() -> None:
    first = np.array([True, True, True, False])
    second = np.array([True, False, False, True])
    assert paired_difference(first, second, np.arange(4)).value == pytest.approx(0.25)


def test_the_interval_is_that_of_a_bootstrap_written_out() -> None:
    random = np.random.default_rng(5)
    groups = (60 * random.random(1500) ** 2).astype(np.int64)  # of very unequal sizes
    talent = random.random(60)[groups]
    first, second = random.random(1500) < talent, random.random(1500) < 0.5 * talent
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    shares = []
    for _ in range(4000):
        drawn = random.integers(0, len(members), len(members))
        rows = np.concatenate([members[group] for group in drawn])
        shares.append(first[rows].mean() - second[rows].mean())
    low, high = np.quantile(shares, [0.025, 0.975])
    found = paired_difference(first, second, groups)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)


def test_pairs_of_one_recording_count_as_one_draw() -> None:
    random = np.random.default_rng(1)
    first = np.repeat(random.random(100) < 0.6, 20)
    second = np.repeat(random.random(100) < 0.5, 20)
    apart = paired_difference(first, second, np.arange(2000))
    together = paired_difference(first, second, np.repeat(np.arange(100), 20))
    assert together.value == apart.value
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_agreeing_models_show_no_difference() -> None:
    right = np.arange(50) % 3 > 0
    found = paired_difference(right, right, np.arange(50) // 5)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert found.verdict == "no difference shown"


@pytest.mark.parametrize(
    ("gained", "lost", "verdict"),
    [(40, 0, "better"), (0, 40, "worse"), (45, 40, "no difference shown")],
)
def test_the_verdict_is_on_the_first(gained: int, lost: int, verdict: str) -> None:
    first = np.arange(1000) < 500 + gained
    first[:lost] = False
    found = paired_difference(first, np.arange(1000) < 500, np.arange(1000))
    assert found.value == pytest.approx((gained - lost) / 1000)
    assert found.verdict == verdict


def test_turned_round_it_is_the_opposite() -> None:
    random = np.random.default_rng(2)
    first, second = random.random(800) < 0.7, random.random(800) < 0.6
    one = paired_difference(first, second, np.arange(800) // 4)
    other = paired_difference(second, first, np.arange(800) // 4)
    assert other.value == -one.value
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=0.004)
