"""Sound and pictures that go and come, in the policy."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.arrival import NO_INPUT, NO_SOUND
from edge_daemon.governor.limits import Limits, Priorities
from edge_daemon.governor.policy import decide, start
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import TIERS, Tier
from tests.governor.test_policy import GOOD, LIMITS, Run
from tests.governor.test_policy_properties import plausible_readings, wild_readings

BOTH = replace(GOOD, sound=True, picture=True)
DEAF = replace(BOTH, sound=False)
BLIND = replace(BOTH, picture=False)
NEITHER = replace(BOTH, sound=False, picture=False)
arrivals = st.sampled_from([None, True, False])


def busy(reading: Reading, cpu: float) -> Reading:
    return replace(reading, cpu_foreign=cpu)


def tiers(run: Run) -> list[str]:
    return [decision.tier.value for _, decision in run.changes]


@pytest.mark.parametrize("tier", [Tier.MEDIUM, Tier.HIGH])
def test_without_sound_a_tier_that_listens_is_left_at_once(tier: Tier) -> None:
    run = Run(tier)
    decision = run.read(DEAF)
    assert (decision.tier, decision.rule, decision.resource) == (Tier.LOW, "no_sound", "sound")
    assert decision.reason == NO_SOUND
    assert (decision.needs, decision.awaits) == ((), ("sound arrives",))
    assert (decision.next_up_s, decision.wait_s) == (10.0, 10.0)
    held = run.hold(DEAF, 100)
    assert (held.tier, held.rule, held.reason) == (Tier.LOW, "no_sound", NO_SOUND)
    assert (held.awaits, held.next_up_s, held.wait_s) == (("sound arrives",), 10.0, 10.0)


@pytest.mark.parametrize("tier", [Tier.CRITICAL, Tier.LOW])
def test_without_sound_a_visual_tier_goes_no_higher_than_low(tier: Tier) -> None:
    run = Run(tier)
    run.hold(DEAF, 100)
    assert run.tier is Tier.LOW


def test_resources_still_decide_without_sound() -> None:
    run = Run(Tier.HIGH)
    run.read(DEAF)
    assert run.hold(busy(DEAF, 0.95), 2).rule == "cpu_limit"
    assert run.tier is Tier.CRITICAL


def test_what_is_not_known_is_taken_to_arrive() -> None:
    run = Run(Tier.HIGH)
    run.hold(GOOD, 100)
    assert run.changes == []


def test_sound_that_is_back_is_used_again_after_the_usual_wait() -> None:
    run = Run(Tier.HIGH)
    run.hold(DEAF, 5)
    waiting = run.read(BOTH)
    assert (waiting.rule, waiting.next_up_s) == ("waiting", 10.0)
    assert waiting.reason == "medium is allowed, 10 s to wait: sound has only just come back"
    back_s = run.now_s
    run.hold(BOTH, 30)
    ups = [(at_s - back_s, one.tier, one.resource) for at_s, one in run.changes[1:]]
    assert ups == [(10.0, Tier.MEDIUM, "sound"), (20.0, Tier.HIGH, "sound")]
    assert run.changes[1][1].reason == "medium has been allowed for 10 s; sound arrives again"


def test_its_loss_is_no_move_up_that_failed_and_its_return_not_rationed() -> None:
    run = Run(Tier.LOW)
    run.hold(BOTH, 25)
    assert run.tier is Tier.HIGH
    ups = run.state.ups
    assert ups < 2.0
    for _ in range(3):
        run.hold(DEAF, 5)
        run.hold(BOTH, 700)
        assert run.tier is Tier.HIGH
        assert run.state.failures == 0
        assert run.state.ups >= ups


def test_a_ration_that_is_used_up_does_not_keep_it_from_what_it_had() -> None:
    run = Run(Tier.CRITICAL)
    run.hold(BOTH, 31)
    assert run.tier == "high"
    assert run.state.ups < 0.2
    run.hold(DEAF, 5)
    run.hold(BOTH, 15)
    assert run.tier == "medium"
    run.hold(DEAF, 5)  # again, on the way: it is still `high` that was lost
    run.hold(BOTH, 35)
    assert run.tier is Tier.HIGH


def test_what_was_given_up_for_the_boards_sake_is_rationed_again() -> None:
    run = Run(Tier.HIGH)
    run.read(DEAF)
    run.hold(busy(DEAF, 0.95), 2)
    run.hold(BOTH, 60)
    assert run.tier is Tier.HIGH
    assert run.state.ups < 0.2  # three moves up, all of them counted


def test_a_second_loss_doubles_the_wait_and_time_forgets_it() -> None:
    run = Run(Tier.HIGH, Limits(forget_s=2000.0))

    def regain_s() -> float:
        told = run.hold(DEAF, 5)
        back_s = run.now_s
        while run.read(BOTH).tier is Tier.LOW:
            pass
        medium_s = run.now_s - back_s - 1
        run.hold(BOTH, 15)
        assert run.tier is Tier.HIGH
        assert told.wait_s == told.next_up_s == medium_s
        return medium_s

    waits = [10, 20, 40, 80, 160, 320, 600, 600]
    for wait_s in waits:
        assert regain_s() == wait_s
    assert run.hold(BOTH, 8 * 2000).rule == "top"
    assert regain_s() == 10


def test_a_microphone_that_comes_and_goes_every_ten_seconds_moves_nothing() -> None:
    run = Run(Tier.HIGH)
    for _ in range(360):
        run.hold(DEAF, 5)
        run.hold(BOTH, 10)
    assert tiers(run) == ["low"]
    run.hold(BOTH, 30)
    assert run.tier is Tier.HIGH


@pytest.mark.parametrize("period_s", [2, 9, 14, 30, 60, 61, 120, 300, 600, 1200])
def test_however_often_the_sound_goes_the_tier_changes_are_bounded(period_s: int) -> None:
    run = Run(Tier.HIGH)
    counts = []
    for _ in range(3):
        before = len(run.changes)
        for second in range(3600):
            run.read(DEAF if second % period_s < max(1, period_s // 10) else BOTH)
        counts.append(len(run.changes) - before)
    # Seven waits until they are longest, then one in ten minutes: each one down and two up.
    assert counts[0] <= 3 * (7 + 6)
    assert max(counts[1:]) <= 3 * 7


def test_a_suspend_is_no_time_in_which_sound_was_there() -> None:
    run = Run(Tier.HIGH)
    run.hold(DEAF, 5)
    run.hold(BOTH, 5)
    run.read(BOTH, after_s=100.0)
    assert run.tier is Tier.LOW
    assert run.hold(BOTH, 9).tier is Tier.LOW
    assert run.read(BOTH).tier is Tier.MEDIUM
    run.hold(DEAF, 5)
    run.hold(BOTH, 18)
    run.read(BOTH, after_s=100.0)
    assert run.hold(BOTH, 19).tier is Tier.LOW  # the longer wait begins anew as well
    assert run.read(BOTH).tier is Tier.MEDIUM


@pytest.mark.parametrize("tier", [Tier.MEDIUM, Tier.HIGH])
def test_without_a_picture_a_tier_that_listens_stays(tier: Tier) -> None:
    run = Run(tier)
    decision = run.read(BLIND)
    assert decision.tier is tier
    assert decision.reason.endswith("; no picture arrives: it goes by the sound")
    run.hold(BLIND, 100)
    assert run.tier is Tier.HIGH


@pytest.mark.parametrize("tier", [Tier.CRITICAL, Tier.LOW])
def test_without_a_picture_a_visual_tier_makes_for_one_that_listens(tier: Tier) -> None:
    run = Run(tier)
    assert run.read(BLIND).reason.endswith(
        f"; no picture arrives: {tier}, which does not listen, waits"
    )
    run.hold(BLIND, 25)
    first = run.changes[0][1]
    assert (first.previous, first.tier) == (tier, Tier.MEDIUM)
    assert (first.rule, first.resource) == ("no_picture", "picture")
    assert first.reason.startswith(
        f"no picture arrives, and {tier} does not listen; medium has been"
    )
    assert tiers(run) == ["medium", "high"]


def test_resources_drive_it_below_what_hears_all_the_same_and_it_says_so() -> None:
    run = Run(Tier.HIGH)
    decision = run.hold(busy(BLIND, 0.75), 2)
    assert (decision.tier, decision.rule) == (Tier.LOW, "cpu_limit")
    assert decision.reason == (
        "foreign CPU load is 75 %, at or above the 70 % where medium ends; "
        "no picture arrives: low, which does not listen, waits"
    )
    held = run.hold(busy(BLIND, 0.65), 2)
    assert (held.rule, held.resource) == ("cpu_holds", "cpu")


def test_pictures_that_come_back_change_nothing() -> None:
    run = Run(Tier.HIGH)
    for _ in range(50):
        run.hold(BLIND, 10)
        run.hold(BOTH, 10)
    assert run.changes == []


def test_with_nothing_to_classify_it_waits_where_it_is_unless_the_board_suffers() -> None:
    for tier in TIERS:
        run = Run(tier)
        decision = run.hold(NEITHER, 100)
        assert (decision.rule, decision.reason, run.changes) == ("no_input", NO_INPUT, [])
    assert run.hold(busy(NEITHER, 0.95), 2).tier is Tier.CRITICAL
    assert run.hold(NEITHER, 100).tier is Tier.CRITICAL
    run.hold(BOTH, 40)
    assert run.tier is Tier.HIGH


def test_sound_that_is_worth_nothing_is_no_substitute_for_pictures() -> None:
    run = Run(Tier.LOW, Limits(priorities=Priorities(sound=0.0)))
    assert run.hold(BLIND, 100).rule == "no_input"
    assert run.changes == []


@pytest.mark.parametrize(
    ("tier", "priorities", "said"),
    [
        (Tier.CRITICAL, Priorities(), "sound or pictures arrive"),
        (Tier.CRITICAL, Priorities(picture=0.0), "sound arrives"),
        (Tier.CRITICAL, Priorities(sound=0.0), "pictures arrive"),
        (Tier.LOW, Priorities(), "sound arrives"),
        (Tier.MEDIUM, Priorities(), "sound arrives"),
    ],
)
def test_with_nothing_to_classify_it_says_what_must_arrive(
    tier: Tier, priorities: Priorities, said: str
) -> None:
    run = Run(tier, Limits(priorities=priorities))
    decision = run.read(NEITHER)
    assert (decision.rule, decision.awaits) == ("no_input", (said,))
    assert decision.next_up_s == 10.0
    short = run.read(busy(NEITHER, {"critical": 0.85, "low": 0.65, "medium": 0.45}[tier]))
    assert short.awaits == (said,)
    assert [need.resource for need in short.needs] == ["cpu"]


@pytest.mark.parametrize("reading", [BOTH, DEAF, NEITHER])
def test_what_is_worth_nothing_is_not_awaited(reading: Reading) -> None:
    run = Run(Tier.LOW, Limits(priorities=Priorities(sound=0.0)))
    decision = run.read(reading)
    assert (decision.needs, decision.awaits, decision.next_up_ns) == ((), (), None)
    assert decision.rule == ("no_input" if reading is NEITHER else "top")
    _, first = start(Tier.LOW, reading, PUBLISHED, run.limits)
    assert first.tier is Tier.LOW
    assert first.reason.startswith("every resource lets it in")


def test_away_and_back_of_both_in_any_order_ends_where_it_began() -> None:
    run = Run(Tier.HIGH)
    for away in (DEAF, NEITHER, BLIND, BOTH, BLIND, NEITHER, DEAF):
        run.hold(away, 30)
    run.hold(BOTH, 700)
    assert run.tier is Tier.HIGH
    for (_, one), (_, other) in pairwise(run.changes):
        assert one.tier is other.previous


@pytest.mark.parametrize(
    ("reading", "tier", "said"),
    [
        (DEAF, "low", NO_SOUND),
        (BLIND, "high", "every resource lets it in; no picture arrives: it goes by the sound"),
        (NEITHER, "high", "every resource lets it in"),
        (busy(DEAF, 0.95), "critical", "foreign CPU load"),
        (busy(BLIND, 0.75), "low", "low, which does not listen, waits"),
    ],
)
def test_it_starts_with_what_there_is(reading: Reading, tier: str, said: str) -> None:
    _, decision = start(Tier.CRITICAL, reading, PUBLISHED, LIMITS)
    assert (decision.tier, decision.rule) == (tier, "start")
    assert said in decision.reason


@given(
    st.lists(st.tuples(wild_readings, arrivals, arrivals), min_size=1, max_size=30),
    st.sampled_from(TIERS),
    st.sampled_from([0.0, 1.0]),
)
def test_nothing_that_arrives_or_not_makes_it_raise_or_leave_the_tiers(
    readings: list[tuple[Reading, bool | None, bool | None]], tier: Tier, priority: float
) -> None:
    limits = Limits(priorities=Priorities(sound=priority))
    state = PolicyState(tier)
    first, decision = start(tier, readings[0][0], PUBLISHED, limits)
    assert first.tier is decision.tier
    for wild, sound, picture in readings:
        before = state.tier
        reading = replace(wild, sound=sound, picture=picture)
        state, decision = decide(state, reading, PUBLISHED, limits)
        assert state.tier is decision.tier
        assert decision.previous is before
        assert decision.rule and decision.reason
        if sound is False:
            assert decision.tier.rank <= max(Tier.LOW.rank, before.rank)
            if picture is not False:
                assert decision.tier.rank <= Tier.LOW.rank


@given(
    st.lists(st.tuples(plausible_readings, arrivals, arrivals, st.integers(1, 40)), max_size=10),
    st.sampled_from(TIERS),
)
@settings(max_examples=100)
def test_sound_has_been_back_for_a_while_whenever_a_tier_that_listens_is_entered(
    parts: list[tuple[Reading, bool | None, bool | None, int]], tier: Tier
) -> None:
    run = Run(tier)
    present_s = 1e9
    for some, sound, picture, length in parts:
        reading = replace(some, sound=sound, picture=picture)
        for _ in range(length):
            present_s = 0.0 if sound is False else present_s + 1.0
            decision = run.read(reading)
            rises = decision.tier.rank > decision.previous.rank
            if rises and decision.tier.rank >= Tier.MEDIUM.rank:
                assert present_s > LIMITS.up_after_s
