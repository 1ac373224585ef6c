"""Clocks that are set, that sleep and that are slewed, each by a known amount."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.clock_watch import ClockWatch, Look, changes
from edge_daemon.journal.events import ClockEvent, Event

SECOND_NS = 1_000_000_000
NOON_NS = 1_773_921_600 * SECOND_NS
"""2026-03-19T12:00:00Z."""


@dataclass
class Board:
    """Three clocks and what is written of them."""

    mono_ns: int = 100 * SECOND_NS
    boot_ns: int = 700 * SECOND_NS
    wall_ns: int = NOON_NS
    between_ns: int = 0
    """What passes between the first clock that is read and the next."""
    found: list[Event] = field(default_factory=list)

    def watch(self) -> ClockWatch:
        return ClockWatch(self.found.append, mono=self._mono, boot=self._boot, wall=self._wall)

    def go_on(self, seconds: float) -> None:
        for name in ("mono_ns", "boot_ns", "wall_ns"):
            setattr(self, name, getattr(self, name) + round(seconds * SECOND_NS))

    def sleep(self, seconds: float) -> None:
        self.boot_ns += round(seconds * SECOND_NS)
        self.wall_ns += round(seconds * SECOND_NS)

    def set(self, by_s: float) -> None:
        self.wall_ns += round(by_s * SECOND_NS)

    def _mono(self) -> int:
        now_ns = self.mono_ns
        self.go_on(self.between_ns / SECOND_NS)
        return now_ns

    def _boot(self) -> int:
        return self.boot_ns

    def _wall(self) -> int:
        return self.wall_ns


def test_clocks_that_go_on_together_are_no_news() -> None:
    board = Board()
    watch = board.watch()
    for seconds in (0.05, 1.0, 0.0, 86_400.0):
        watch.check()
        board.go_on(seconds)
    watch.check()
    assert board.found == []


def test_a_step_is_told_with_both_ends_and_once() -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.go_on(0.5)
    board.set(3600.25)
    watch.check()
    board.go_on(0.05)
    watch.check()
    assert board.found == [
        ClockEvent("step", 3600.25, "2026-03-19T12:00:00.500Z", "2026-03-19T13:00:00.750Z")
    ]


def test_a_step_back_by_years_is_told() -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.set(-NOON_NS / SECOND_NS)
    watch.check()
    assert board.found == [
        ClockEvent("step", -1_773_921_600.0, "2026-03-19T12:00:00.000Z", "1970-01-01T00:00:00.000Z")
    ]


def test_a_suspend_is_told_and_is_no_step() -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.go_on(0.25)
    board.sleep(28_440.5)
    board.go_on(0.25)
    watch.check()
    watch.check()
    assert board.found == [
        ClockEvent("suspend", 28_440.5, "2026-03-19T12:00:00.500Z", "2026-03-19T19:54:01.000Z")
    ]


def test_a_suspend_in_which_the_wall_clock_stood_still_is_both() -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.sleep(60.0)
    board.set(-60.0)
    watch.check()
    assert board.found == [
        ClockEvent("suspend", 60.0, "2026-03-19T12:00:00.000Z", "2026-03-19T12:01:00.000Z"),
        ClockEvent("step", -60.0, "2026-03-19T12:01:00.000Z", "2026-03-19T12:00:00.000Z"),
    ]


def test_slewing_adds_up_to_no_step() -> None:
    board = Board()
    watch = board.watch()
    for _ in range(1000):
        watch.check()
        board.go_on(1.0)
        board.set(0.08)  # as fast as chrony ever slews
    assert board.found == []


@pytest.mark.parametrize("by_s", [1.0, -1.0, 1.9, -1.9])
def test_a_leap_second_is_no_news(by_s: float) -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.set(by_s)
    watch.check()
    assert board.found == []


def test_a_thread_that_is_held_up_between_two_clocks_sees_no_step() -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.between_ns = 5 * SECOND_NS
    watch.check()
    board.between_ns = 0
    watch.check()
    assert board.found == []


def test_what_happened_while_it_was_held_up_is_told_at_the_next_look() -> None:
    board = Board()
    watch = board.watch()
    watch.check()
    board.set(30.0)
    board.between_ns = 5 * SECOND_NS
    watch.check()
    assert board.found == []
    board.between_ns = 0
    watch.check()
    (step,) = board.found
    assert isinstance(step, ClockEvent)
    assert (step.change, step.by_s) == ("step", 30.0)


@given(
    awake_s=st.integers(0, 10**6), slept_s=st.integers(0, 10**7), by_s=st.integers(-(10**9), 10**9)
)
def test_what_is_told_explains_the_difference(awake_s: int, slept_s: int, by_s: int) -> None:
    before = Look(0, 0, NOON_NS)
    passed_s = awake_s + slept_s
    after = Look(awake_s * SECOND_NS, passed_s * SECOND_NS, NOON_NS + (passed_s + by_s) * SECOND_NS)
    found = {event.change: event for event in changes(before, after)}
    assert ("suspend" in found) == (slept_s >= 1)
    assert ("step" in found) == (abs(by_s) >= 2)
    assert sum(event.by_s for event in found.values()) == pytest.approx(
        slept_s + (by_s if abs(by_s) >= 2 else 0)
    )


def test_the_clocks_of_this_machine_are_read() -> None:
    found: list[Event] = []
    watch = ClockWatch(found.append)
    watch.check()
    watch.check()
    assert found == []
