import numpy as np
import pytest

from tools.evaluation.interval import bootstrap_interval


def test_independent_samples_give_the_binomial_interval() -> None:
    right = np.arange(2000) % 10 != 0
    low, high = bootstrap_interval(right, np.arange(2000))
    half = 1.96 * np.sqrt(0.9 * 0.1 / 2000)
    assert low == pytest.approx(0.9 - half, abs=0.003)
    assert high == pytest.approx(0.9 + half, abs=0.003)


def test_samples_of_one_clip_count_once() -> None:
    # 20 clips, each with 100 copies of one answer: the interval is that of 20 samples.
    right = np.repeat(np.arange(20) % 4 != 0, 100)
    narrow = bootstrap_interval(right, np.arange(2000))
    wide = bootstrap_interval(right, np.repeat(np.arange(20), 100))
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])


def test_certainty_has_no_width() -> None:
    assert bootstrap_interval(np.ones(50, bool), np.arange(50)) == (1.0, 1.0)
