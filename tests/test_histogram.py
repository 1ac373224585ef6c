import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.histogram import Histogram


def test_an_empty_histogram_knows_no_percentile() -> None:
    assert Histogram().percentile(50) is None


@given(st.lists(st.floats(0.002, 9e5), min_size=1, max_size=300), st.sampled_from([1, 50, 99, 100]))
def test_percentiles_are_within_one_bucket_of_the_exact_ones(
    values: list[float], percent: int
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = float(np.percentile(values, percent, method="inverted_cdf"))
    found = histogram.percentile(percent)
    assert found == pytest.approx(exact, rel=0.021)


def test_values_outside_the_buckets_are_counted_in_the_end_ones() -> None:
    histogram = Histogram()
    for value in (0.0, -1.0, 1e12):
        histogram.add(value)
    low, high = histogram.percentile(1), histogram.percentile(100)
    assert histogram.total == 3
    assert low is not None and low < 0.0011
    assert high is not None and high > 1e5
