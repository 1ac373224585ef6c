import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.inference.scores import Scores
from edge_daemon.inference.smoothing import UNKNOWN, Smoother

LABELS = ("one", "two", "three", "four")
STEP_NS = 100_000_000


def scores(*probabilities: float, used: bool = True) -> Scores:
    return Scores(np.array(probabilities, np.float32), used, False, 0 if used else None, None)


def sure(label: str) -> Scores:
    return scores(*(float(name == label) for name in LABELS))


NOTHING = scores(0.9, 0.1, 0.0, 0.0, used=False)


def answers(smoother: Smoother, windows: list[Scores], step_ns: int = STEP_NS) -> list[str]:
    return [smoother.update(given, n * step_ns).label for n, given in enumerate(windows)]


def shipped() -> Smoother:
    return Smoother(LABELS, threshold=0.6, weight=0.5)


def test_the_first_window_answers_at_once() -> None:
    answer = shipped().update(sure("two"), 0)
    assert (answer.label, answer.best, answer.confidence) == ("two", "two", 1.0)


def test_a_new_digit_is_the_answer_in_its_second_window() -> None:
    given = [sure("one")] * 5 + [sure("two")] * 3
    assert answers(shipped(), given)[4:] == ["one", UNKNOWN, "two", "two"]


def test_one_bad_window_in_a_good_row_does_not_change_the_answer_to_another() -> None:
    given = [sure("one")] * 5 + [scores(0.4, 0.6, 0.0, 0.0)] + [sure("one")] * 2
    assert set(answers(shipped(), given)) == {"one"}


def test_nothing_shown_becomes_unknown_in_the_second_window() -> None:
    given = [sure("one")] * 5 + [NOTHING] * 3
    assert answers(shipped(), given)[4:] == ["one", "one", UNKNOWN, UNKNOWN]


def test_scores_that_rest_on_nothing_count_as_equal() -> None:
    answer = shipped().update(NOTHING, 0)
    assert answer.label == UNKNOWN
    assert answer.confidence == pytest.approx(0.25)


def test_the_average_is_over_time_and_not_over_windows() -> None:
    """Twice as many windows in the same time forget as much."""
    slow, fast = shipped(), shipped()
    slow.update(sure("one"), 0)
    fast.update(sure("one"), 0)
    given = scores(0.1, 0.7, 0.1, 0.1)
    slow.update(given, 2 * STEP_NS)
    for n in range(1, 9):
        fast.update(given, n * STEP_NS // 4)
    np.testing.assert_allclose(slow.average, fast.average, rtol=1e-5)


def test_a_hundred_milliseconds_halve_what_was_seen() -> None:
    smoother = shipped()
    smoother.update(sure("one"), 0)
    answer = smoother.update(sure("two"), STEP_NS)
    assert answer.confidence == pytest.approx(0.5)
    smoother.update(sure("two"), 2 * STEP_NS)
    np.testing.assert_allclose(smoother.average, [0.25, 0.75, 0.0, 0.0], atol=1e-6)


def test_after_a_pause_a_window_stands_alone() -> None:
    smoother = shipped()
    smoother.update(sure("one"), 0)
    answer = smoother.update(sure("two"), 20 * STEP_NS)
    assert answer.label == "two"
    assert answer.confidence == pytest.approx(1.0, abs=1e-5)


def test_weight_zero_answers_each_window_on_its_own() -> None:
    smoother = Smoother(LABELS, threshold=0.6, weight=0.0)
    given = [sure("one"), sure("two"), scores(0.3, 0.3, 0.4, 0.0)]
    assert answers(smoother, given, step_ns=0) == ["one", "two", UNKNOWN]


def test_below_the_threshold_the_best_is_still_told() -> None:
    answer = shipped().update(scores(0.1, 0.2, 0.59, 0.12), 0)
    assert (answer.label, answer.best) == (UNKNOWN, "three")
    assert answer.confidence == pytest.approx(0.59)


def test_threshold_and_weight_may_change_while_it_runs() -> None:
    smoother = shipped()
    smoother.update(scores(0.5, 0.5, 0.0, 0.0), 0)
    smoother.threshold = 0.4
    assert smoother.update(scores(0.5, 0.5, 0.0, 0.0), STEP_NS).label == "one"
    smoother.weight = 0.0
    assert smoother.update(sure("four"), STEP_NS).confidence == 1.0


def test_reset_forgets() -> None:
    smoother = shipped()
    smoother.update(sure("one"), 0)
    smoother.reset()
    assert smoother.update(sure("two"), 1).confidence == 1.0


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4),
            st.integers(0, 10**10),
            st.booleans(),
        ),
        min_size=1,
        max_size=30,
    ),
    st.floats(0.0, 0.99),
)
def test_it_stays_a_distribution(
    windows: list[tuple[list[float], int, bool]], weight: float
) -> None:
    smoother = Smoother(LABELS, threshold=0.6, weight=weight)
    now_ns = 0
    for raw, step_ns, used in windows:
        now_ns += step_ns
        total = sum(raw)
        answer = smoother.update(scores(*(value / total for value in raw), used=used), now_ns)
        assert smoother.average.sum() == pytest.approx(1.0, abs=1e-4)
        assert answer.confidence == pytest.approx(float(smoother.average.max()), abs=1e-6)
        assert answer.best in LABELS
        assert answer.label == (answer.best if answer.confidence >= 0.6 else UNKNOWN)
