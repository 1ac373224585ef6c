from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_daemon.inference.gate import Gate, Reuse

MS = 1_000_000
REUSE = Reuse(picture=0.04, sound=0.01, at_most_ns=500 * MS)


def paper(grey: int) -> NDArray[np.uint8]:
    return np.full((96, 96), grey, np.uint8)


def tone(level: float) -> NDArray[np.float32]:
    return np.full((1, 8, 4, 1), level, np.float32)


class Asked:
    """A gate, asked as a pipeline asks it, a window each 100 ms."""

    def __init__(self, reuse: Reuse | None = REUSE) -> None:
        self.gate = Gate()
        self.gate.use(reuse)
        self.now_ms = 0

    def __call__(
        self, grey: int | None = 100, level: float | None = None, *, after_ms: int = 100
    ) -> tuple[bool, bool]:
        """Return whether picture and scores are the same."""
        self.now_ms += after_ms
        picture = None if grey is None else paper(grey)
        same = self.gate.same_picture(picture, self.now_ms * MS)
        return same, self.gate.same_scores(None if level is None else tone(level), self.now_ms * MS)


def test_without_settings_everything_is_computed() -> None:
    ask = Asked(None)
    assert [ask() for _ in range(3)] == [(False, False)] * 3


def test_the_first_window_is_computed_and_the_next_ones_are_not() -> None:
    ask = Asked()
    assert [ask(100, 0.5) for _ in range(3)] == [(False, False), (True, True), (True, True)]


def test_a_changed_picture_needs_new_scores_and_a_changed_sound_no_new_picture() -> None:
    ask = Asked()
    ask(100, 0.5)
    assert ask(111, 0.5) == (False, False)
    assert ask(111, 0.52) == (True, False)
    assert ask(111, 0.52) == (True, True)


def test_thresholds_are_the_largest_change_that_does_not_count() -> None:
    ask = Asked(replace(REUSE, picture=10 / 255, sound=0.25))
    ask(100, 0.5)
    assert ask(110, 0.75) == (True, True)
    assert ask(111, 0.75) == (False, False)
    assert ask(111, 0.5) == (True, True)
    assert ask(111, 0.4999) == (True, False)


def test_small_changes_add_up() -> None:
    ask = Asked(replace(REUSE, at_most_ns=10**12))
    greys = range(100, 150, 4)  # 4 of 255 at a time, 10.2 count
    assert [ask(grey)[0] for grey in greys] == [number % 3 != 0 for number in range(len(greys))]
    ask = Asked(replace(REUSE, at_most_ns=10**12))
    levels = np.arange(0.5, 0.56, 0.004)
    heard = [ask(100, level)[1] for level in levels]
    assert heard == [number % 3 != 0 for number in range(len(levels))]


def test_an_input_that_comes_or_goes_is_a_change_and_one_that_stays_away_is_none() -> None:
    ask = Asked()
    ask(100, None)
    assert ask(100, None) == (True, True)
    assert ask(100, 0.0) == (True, False)  # heard, although all values are 0
    assert ask(100, None) == (True, False)
    assert ask(None, None) == (False, False)
    assert ask(None, None) == (True, True)
    assert ask(100, None) == (False, False)


def test_what_was_computed_serves_for_so_long_and_no_longer() -> None:
    ask = Asked()
    answers = [ask()[1] for _ in range(13)]
    assert answers == [False, *[True] * 5, False, *[True] * 5, False]


def test_new_scores_make_an_old_picture_no_younger() -> None:
    ask = Asked()
    ask(100, 0.1)
    seen = [ask(100, 0.1 * number) for number in range(2, 9)]
    assert [same for same, _ in seen] == [True] * 5 + [False, True]
    assert not any(scores for _, scores in seen)


def test_a_clock_that_steps_back_ends_reuse() -> None:
    ask = Asked()
    ask()
    assert ask(after_ms=-50) == (False, False)


@pytest.mark.parametrize("new", [None, replace(REUSE)])
def test_new_settings_begin_anew_even_if_they_say_the_same(new: Reuse | None) -> None:
    ask = Asked()
    ask()
    ask.gate.use(REUSE)
    assert ask() == (True, True)
    ask.gate.use(new)
    assert ask() == (False, False)


def test_forgetting_has_everything_computed() -> None:
    ask = Asked()
    ask()
    ask.gate.forget()
    assert ask() == (False, False)


@given(
    windows=st.lists(
        st.tuples(
            st.integers(1, 400),
            st.one_of(st.none(), st.integers(90, 120)),
            st.one_of(st.none(), st.sampled_from([0.0, 0.005, 0.012, 0.5])),
        ),
        min_size=2,
        max_size=40,
    )
)
def test_whatever_comes_what_is_reused_is_young_and_alike(
    windows: list[tuple[int, int | None, float | None]],
) -> None:
    """Against the definition: compare with the last window that was computed."""
    ask = Asked()
    computed: tuple[int, int | None, float | None] | None = None
    for after_ms, grey, level in windows:
        _, same = ask(grey, level, after_ms=after_ms)
        if same:
            assert computed is not None
            then_ms, old_grey, old_level = computed
            assert ask.now_ms - then_ms <= 500
            assert (old_grey is None) == (grey is None)
            assert (old_level is None) == (level is None)
            assert abs((old_grey or 0) - (grey or 0)) <= 2 * 0.04 * 255
            assert abs((old_level or 0.0) - (level or 0.0)) <= 0.01 + 1e-6
        else:
            computed = (ask.now_ms, grey, level)


def test_equal_windows_close_together_are_always_reused() -> None:
    ask = Asked()
    seen = [ask(100, 0.3, after_ms=gap)[1] for gap in (1, 10, 100, 200)]
    assert [before or now for before, now in pairwise(seen)] == [True] * 3
