"""Figures from times that are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.drills.lines import Line
from tools.drills.measure import (
    answers,
    gaps_s,
    lost_at,
    lost_windows,
    missing_numbers,
    repeated_numbers,
    runs,
    seconds_to,
    starts_s,
)

MS = 1_000_000


def at(time_ms: int, event: str = "prediction", **fields: object) -> Line:
    return Line(time_ms * MS, {"event": event, **fields})


def numbered(*numbers: int) -> list[Line]:
    return [at(0, seq=number) for number in numbers]


def test_only_predictions_are_answers_and_they_are_put_in_order() -> None:
    assert answers([at(30), at(10), at(20, "capture")]) == [10 * MS, 30 * MS]


def test_the_first_wanted_line_counts_whatever_the_order_in_the_file() -> None:
    lines = [at(50, "fault"), at(90, "capture"), at(70, "capture")]
    assert seconds_to(lines, lambda line: line.event == "capture", 60 * MS) == pytest.approx(0.01)
    assert seconds_to(lines, lambda line: line.event == "fault", 60 * MS) is None


def test_gaps_begin_with_the_answer_before_the_fault_and_end_with_the_watch() -> None:
    times_ns = [time_ms * MS for time_ms in (0, 50, 100, 400, 450)]
    assert gaps_s(times_ns, 120 * MS, 500 * MS) == pytest.approx([0.3, 0.05, 0.05])


def test_without_any_answer_the_gap_is_the_whole_watch() -> None:
    assert gaps_s([], 1000 * MS, 3000 * MS) == pytest.approx([2.0])


@pytest.mark.parametrize(
    ("gaps", "lost"),
    [([0.05] * 9, 0), ([0.07], 0), ([0.1], 1), ([0.3, 0.05, 0.2], 5 + 3), ([0.001], 0), ([], 0)],
)
def test_windows_that_fit_into_a_gap_are_lost(gaps: list[float], lost: int) -> None:
    assert lost_windows(gaps, 0.05) == lost


@given(st.sets(st.integers(1, 198)))
def test_windows_that_are_left_out_are_counted(left_out: set[int]) -> None:
    times_ns = [50 * MS * number for number in range(200) if number not in left_out]
    gaps = gaps_s(times_ns, 0, 50 * MS * 199)
    assert lost_windows(gaps, 0.05) == len(left_out)


def test_numbers_are_counted_from_zero() -> None:
    assert missing_numbers(numbered(0, 1, 2)) == 0
    assert missing_numbers(numbered(3, 4, 8)) == 3 + 3
    assert missing_numbers([at(0)]) == 0


def test_numbers_that_do_not_rise_are_counted() -> None:
    assert repeated_numbers(numbered(0, 1, 1, 2, 0)) == 2


def test_answers_are_parted_by_kills_and_what_each_kill_cost_is_counted() -> None:
    times_ns = [time_ms * MS for time_ms in (0, 50, 100, 700, 750, 1600)]
    kills_ns = [310 * MS, 500 * MS, 760 * MS]
    parts = runs(times_ns, kills_ns)
    assert [len(part) for part in parts] == [3, 0, 2, 1]
    lost = [lost_at(kill, part, 0.05) for kill, part in zip(kills_ns, parts, strict=False)]
    assert lost == [3, 0, 0]
    assert starts_s(times_ns, kills_ns) == pytest.approx([0.2, 0.84])
