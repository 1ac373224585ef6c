"""Windows that begin late drive their own tier out, and let no higher one in."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from edge_daemon.governor.lateness import Lateness, late_margin, observe
from edge_daemon.governor.limits import CpuLimits, Limits, disorder
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tests.governor.test_policy import GOOD, LIMITS, Run


def windows(tier: Tier, due: int, late: int) -> Reading:
    """A board with room on all sides whose loop falls behind."""
    return replace(
        GOOD, due=due, late=late, cycles=due - late, cycle_tier=tier if due > late else None
    )


def test_two_readings_with_late_windows_take_one_tier_away() -> None:
    run = Run(Tier.HIGH)
    run.hold(windows(Tier.HIGH, 30, 0), 2)
    once = run.read(windows(Tier.HIGH, 30, 15))
    assert (once.tier, once.rule) == (Tier.HIGH, "cpu_pending")
    decision = run.read(windows(Tier.HIGH, 30, 15))
    assert (decision.tier, decision.resource, decision.rule) == (Tier.MEDIUM, "cpu", "cpu_limit")
    said = "the share of windows that begin late is 50 %, at or above the 40 % where high ends"
    assert decision.reason == said
    assert decision.binding is not None
    assert decision.binding.quantity == "late_windows"


def test_each_lower_tier_is_given_its_own_chance() -> None:
    run = Run(Tier.HIGH)
    while run.tier is not Tier.CRITICAL:
        run.read(windows(run.tier, 30, 30))
    tiers = [decision.tier for _, decision in run.changes]
    assert tiers == [Tier.MEDIUM, Tier.LOW, Tier.CRITICAL]
    times_s = [at_s for at_s, _ in run.changes]
    # The first reading in a tier may be of windows from before; then as above.
    assert [after - before for before, after in pairwise(times_s)] == [3, 3]


def test_what_the_tier_before_was_late_with_does_not_count() -> None:
    run = Run(Tier.HIGH)
    run.hold(windows(Tier.HIGH, 30, 30), 3)
    assert run.tier is Tier.MEDIUM
    run.hold(windows(Tier.HIGH, 30, 20), 5)  # the swap is still to come
    assert run.tier is Tier.MEDIUM


def test_what_drove_a_tier_out_holds_it_back_until_the_next_has_shown_to_be_in_time() -> None:
    run = Run(Tier.HIGH, Limits(up_after_s=0.0))
    run.hold(windows(Tier.HIGH, 30, 30), 3)
    decision = run.hold(GOOD, 2)  # nothing is known of medium's windows
    assert (run.tier, decision.rule) == (Tier.MEDIUM, "cpu_holds")
    assert run.hold(windows(Tier.MEDIUM, 30, 0), 7).tier is Tier.MEDIUM
    assert run.hold(windows(Tier.MEDIUM, 30, 0), 5).tier is Tier.HIGH


def test_one_standstill_drives_nothing_out() -> None:
    run = Run(Tier.HIGH)
    run.hold(windows(Tier.HIGH, 30, 0), 5)
    run.read(windows(Tier.HIGH, 300, 299), after_s=2)
    run.hold(windows(Tier.HIGH, 30, 0), 5)
    assert run.tier is Tier.HIGH
    assert run.changes == []


def test_late_windows_let_no_higher_tier_in_until_they_have_been_in_time_for_a_while() -> None:
    run = Run(Tier.CRITICAL)
    decision = run.hold(windows(Tier.CRITICAL, 30, 6), 60)
    assert (decision.tier, decision.rule) == (Tier.CRITICAL, "cpu_holds")
    assert [need.wants() for need in decision.needs] == [
        "the share of windows that begin late is 20 % and must be at most 10 % for low"
    ]
    run.read(windows(Tier.CRITICAL, 30, 0))
    assert run.state.clear_ns is None  # one good reading is not enough
    run.hold(windows(Tier.CRITICAL, 30, 0), 16)
    assert run.tier is Tier.LOW


def test_a_late_window_now_and_then_holds_nothing_back() -> None:
    run = Run(Tier.LOW)
    for _ in range(12):
        run.read(windows(Tier.LOW, 15, 1))
    assert run.tier is Tier.MEDIUM


@pytest.mark.parametrize("every_s", [5, 8, 10, 12, 15])
@pytest.mark.parametrize(("due", "late"), [(10, 3), (30, 10)])
def test_a_hiccup_of_a_third_of_a_second_now_and_then_holds_nothing_back(
    every_s: int, due: int, late: int
) -> None:
    run = Run(Tier.LOW)
    for second in range(600):
        run.read(windows(run.tier, due, 0 if second % every_s else late))
    assert run.tier is Tier.HIGH


def test_one_window_in_seven_holds_back_for_ever() -> None:
    run = Run(Tier.LOW)
    for _ in range(600):
        run.read(windows(run.tier, 14, 2))
    assert run.tier is Tier.LOW


def test_one_late_window_counts_once_where_windows_are_rarer_than_readings() -> None:
    run = Run(Tier.HIGH)
    for _ in range(3):
        run.read(windows(Tier.HIGH, 1, 0), after_s=0.5)
        run.hold(GOOD, 4)
    run.read(windows(Tier.HIGH, 2, 1), after_s=0.5)
    run.hold(GOOD, 8)
    run.read(windows(Tier.HIGH, 1, 0), after_s=0.5)
    assert run.changes == []
    for _ in range(2):
        run.read(windows(Tier.HIGH, 2, 1), after_s=0.5)
        run.hold(GOOD, 4)
    assert run.tier is Tier.MEDIUM


def test_windows_in_time_leave_the_governor_its_longest_rest() -> None:
    run = Run(Tier.HIGH)
    assert run.hold(windows(Tier.HIGH, 30, 0), 20).poll_s == LIMITS.poll_max_s


def test_a_loop_that_stands_still_tells_nothing_and_moves_nothing_up() -> None:
    run = Run(Tier.LOW)
    run.hold(windows(Tier.LOW, 30, 30), 3)
    assert run.tier is Tier.CRITICAL
    run.hold(windows(Tier.CRITICAL, 30, 29), 3)
    run.hold(GOOD, 50)
    assert run.tier is Tier.CRITICAL


def test_who_ignores_the_cpu_ignores_late_windows() -> None:
    run = Run(Tier.HIGH, Limits(ignored=("cpu",)))
    run.hold(windows(Tier.HIGH, 30, 30), 10)
    assert run.tier is Tier.HIGH


def test_a_stretch_that_nobody_watched_says_nothing() -> None:
    known = observe(Lateness(Tier.LOW), windows(Tier.LOW, 10, 9), 1.0, Tier.LOW)
    assert (known.last, known.mean.value) == (0.9, 0.9)
    assert observe(known, windows(Tier.LOW, 10, 9), None, Tier.LOW) == Lateness(Tier.LOW)


@pytest.mark.parametrize(("due", "late"), [(0, 0), (0, 5), (-3, 2), (3, 50), (5, -7)])
def test_counts_that_cannot_be_are_borne(due: int, late: int) -> None:
    known = observe(Lateness(Tier.LOW), replace(GOOD, due=due, late=late), 1.0, Tier.LOW)
    assert known.last is None or 0.0 <= known.last <= 1.0
    assert known.mean.value == known.last


def test_margins_are_of_the_running_tier_and_those_above_it() -> None:
    known = observe(Lateness(Tier.MEDIUM), windows(Tier.MEDIUM, 10, 5), 1.0, Tier.MEDIUM)
    has = [tier for tier in TIERS if late_margin(tier, known, LIMITS) is not None]
    assert has == [Tier.MEDIUM, Tier.HIGH]
    known = observe(Lateness(Tier.CRITICAL), windows(Tier.CRITICAL, 9, 8), 1.0, Tier.CRITICAL)
    assert late_margin(Tier.CRITICAL, known, LIMITS) is None  # nothing is below it
    assert late_margin(Tier.LOW, known, LIMITS) is not None


def test_bounds_that_would_flap_are_refused() -> None:
    found = dict(disorder(Limits(cpu=CpuLimits(late_enter=0.4))))
    assert list(found) == ["cpu.late_enter"]
    assert "must lie below cpu.late_leave (0.4)" in found["cpu.late_enter"]
