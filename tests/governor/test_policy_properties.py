"""What holds for any sequence of readings."""

from typing import get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.allocation import ceiling, worths
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits, Priorities, Signal
from edge_daemon.governor.policy import decide, start, swap_failed
from edge_daemon.governor.pressure import alarm, pressures, unknown
from edge_daemon.governor.profile import PUBLISHED, Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import UPS_AT_ONCE, PolicyState
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import seconds
from tests.governor.test_policy import GOOD, LIMITS, Run

anything = st.none() | st.floats() | st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0, 20.0, 80.0, 110.0])
signals: tuple[Signal, ...] = ("cpu", "memory", "temperature", "battery", "throttle")
flags = ("under-voltage", "frequency-capped", "throttled", "soft-limit", "over-current", "")

chosen = {
    "time_ns": st.integers(),
    "throttled": st.lists(st.sampled_from(flags), max_size=2).map(tuple),
    "absent": st.lists(st.sampled_from(signals), max_size=3).map(tuple),
    "failed": st.dictionaries(st.sampled_from(signals), st.text(max_size=4), max_size=2),
    "failed_s": st.dictionaries(st.sampled_from(signals), st.floats(), max_size=2),
}
fields = {name: get_type_hints(Reading)[name] for name in Reading.__struct_fields__}
wild_readings: st.SearchStrategy[Reading] = st.builds(
    Reading,
    **{
        name: chosen.get(name, anything if kind == float | None else st.from_type(kind))
        for name, kind in fields.items()
    },
)
shares = st.floats(0.0, 1.0)
plausible_readings = st.builds(
    Reading,
    time_ns=st.just(0),
    cpu_foreign=st.none() | shares,
    memory_available_mib=st.none() | st.floats(0.0, 300.0),
    temperature_c=st.none() | st.floats(20.0, 112.0),
    temperature_limit_c=st.just(80.0),
    temperature_critical_c=st.just(110.0),
    battery_fraction=st.none() | shares,
    on_mains=st.none() | st.booleans(),
    throttled=st.lists(st.sampled_from(flags), max_size=1).map(tuple),
    absent=st.just(()) | st.just(("battery",)),
    failed=st.just({}) | st.just({"temperature": "EIO"}),
)
# Long stretches of the same, as in life, so that moves up do happen.
stretches = st.lists(
    st.tuples(st.just(GOOD) | plausible_readings, st.integers(1, 40)), min_size=1, max_size=12
)
tiers = st.sampled_from(TIERS)
arrivals = st.sampled_from([None, True, False])
values = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 100.0)
priorities = st.builds(Priorities, picture=values, sound=values)
some_limits = st.builds(
    Limits,
    down_polls=st.integers(1, 5),
    up_after_s=st.floats(0.0, 60.0),
    up_after_max_s=st.floats(60.0, 1000.0),
    forget_s=st.floats(1.0, 1000.0),
    ups_per_hour=st.floats(0.1, 3600.0),
    lost_s=st.floats(5.0, 60.0),
    ignored=st.lists(st.sampled_from(signals), max_size=2).map(tuple),
    priorities=priorities,
)


def assert_explained(decision: Decision, profile: Profile, limits: Limits) -> None:
    """Below the ceiling, a decision says what a move up takes, and when; above it, there is none.

    The ceiling is the cheapest tier that none exceeds in worth, if all arrives.
    """
    top = ceiling(worths(profile, limits.priorities))
    assert decision.tier.rank <= top.rank
    way = decision.needs, decision.awaits, decision.next_up_ns, decision.wait_s
    if decision.tier is top:
        assert way == ((), (), None, 0.0)
        return
    assert decision.needs or decision.awaits
    assert all(decision.awaits)
    assert all(need.tier.rank > decision.tier.rank for need in decision.needs) or (
        decision.rule.endswith(("_pending", "_limit"))
    )
    assert decision.next_up_ns is not None
    assert decision.next_up_ns >= decision.time_ns + int(decision.wait_s * 1e9) - 1


@given(st.lists(wild_readings, min_size=1, max_size=30), tiers)
def test_no_reading_makes_it_raise(readings: list[Reading], tier: Tier) -> None:
    state = PolicyState(tier)
    for reading in readings:
        before = state.tier
        state, decision = decide(state, reading, PUBLISHED, LIMITS)
        assert state.tier is decision.tier
        assert decision.previous is before
        # Without pictures `low` is worth nothing, and is passed over.
        assert decision.tier.rank <= before.rank + (2 if reading.picture is False else 1)
        assert decision.rule
        assert decision.reason


@given(wild_readings, tiers)
def test_no_first_reading_makes_it_raise(reading: Reading, running: Tier) -> None:
    state, decision = start(running, reading, PUBLISHED, LIMITS)
    assert state.tier is decision.tier
    if alarm(reading, LIMITS) is not None:
        assert decision.tier is Tier.CRITICAL
    if unknown(reading, LIMITS) or reading.failed:
        assert decision.tier.rank <= Tier.LOW.rank


@given(wild_readings, tiers, tiers, tiers)
def test_a_failed_swap_never_leaves_the_tiers(
    reading: Reading, tier: Tier, failed: Tier, running: Tier
) -> None:
    state, _ = decide(PolicyState(tier), reading, PUBLISHED, LIMITS)
    after, decision = swap_failed(state, failed, running, LIMITS)
    assert after.tier is decision.tier
    assert_explained(decision, PUBLISHED, LIMITS)
    assert decision.tier.rank <= max(state.tier.rank, running.rank)


@given(
    st.lists(wild_readings | plausible_readings, min_size=1, max_size=20),
    st.lists(st.tuples(arrivals, arrivals), min_size=1, max_size=20),
    tiers,
    some_limits,
)
@settings(max_examples=300)
def test_every_decision_says_what_a_move_up_takes_and_none_goes_beyond_what_is_worth_it(
    readings: list[Reading],
    arrive: list[tuple[bool | None, bool | None]],
    tier: Tier,
    limits: Limits,
) -> None:
    state, now_s = PolicyState(tier), 1000.0
    for number, some in enumerate(readings * 3):
        now_s += 1.0
        sound, picture = arrive[number % len(arrive)]
        reading = replace(some, time_ns=seconds(now_s), sound=sound, picture=picture)
        assert_explained(start(tier, reading, PUBLISHED, limits)[1], PUBLISHED, limits)
        state, decision = decide(state, reading, PUBLISHED, limits)
        assert_explained(decision, PUBLISHED, limits)


@given(st.lists(st.tuples(st.just(GOOD) | plausible_readings, arrivals, st.integers(1, 40))), tiers)
@settings(max_examples=200)
def test_a_move_up_comes_when_it_was_said_to(
    parts: list[tuple[Reading, bool | None, int]], tier: Tier
) -> None:
    # Nothing is forgotten on the way, which would make it come sooner.
    run = Run(tier, Limits(forget_s=86_400.0))
    said_ns = 0
    for some, sound, length in [*parts, (GOOD, None, 1)]:
        for _ in range(length):
            decision = run.read(replace(some, sound=sound))
            if decision.tier.rank > decision.previous.rank:
                assert decision.time_ns >= said_ns
            # What was said in another tier is not comparable.
            said_ns = max(0 if decision.changed else said_ns, decision.next_up_ns or 0)
    said = decision
    while said.next_up_ns is not None and not run.read(GOOD).changed:
        assert seconds(run.now_s) < said.next_up_ns + seconds(2.0)


@given(stretches, tiers)
@settings(max_examples=200)
def test_a_move_up_has_every_value_known_and_good_and_goes_one_tier(
    parts: list[tuple[Reading, int]], tier: Tier
) -> None:
    run = Run(tier)
    clear_s = 0.0
    for reading, length in parts:
        for _ in range(length):
            before = run.tier
            decision = run.read(reading)
            upper = TIERS[min(before.rank + 1, 3)]
            found = pressures(reading, LIMITS)
            good = (
                not unknown(reading, LIMITS)
                and alarm(reading, LIMITS) is None
                and all(pressure.margin(upper) >= 0 for pressure in found)
            )
            clear_s = clear_s + 1 if good else 0.0
            if decision.tier.rank > before.rank:
                assert decision.tier is upper
                assert good
                assert not reading.failed
                assert clear_s > LIMITS.up_after_s
            if decision.changed:
                # The next wait may begin with this very reading.
                clear_s = 1.0


@given(stretches, tiers)
def test_what_drives_a_tier_out_does_so_within_two_polls(
    parts: list[tuple[Reading, int]], tier: Tier
) -> None:
    run = Run(tier)
    bad = 0
    for reading, length in parts:
        for _ in range(length):
            decision = run.read(reading)
            if alarm(reading, LIMITS) is not None:
                assert decision.tier is Tier.CRITICAL
            found = pressures(reading, LIMITS)
            over = any(pressure.bearable(decision.tier) is not decision.tier for pressure in found)
            bad = bad + 1 if over else 0
            assert bad < LIMITS.down_polls


@given(plausible_readings, tiers)
def test_a_constant_load_settles_and_stays(reading: Reading, tier: Tier) -> None:
    run = Run(tier)
    run.hold(reading, 60)
    settled = len(run.changes)
    assert settled <= 3
    run.hold(reading, 300)
    assert len(run.changes) == settled


@given(plausible_readings, st.integers(0, 3))
def test_the_same_readings_give_the_same_decisions(reading: Reading, rank: int) -> None:
    state = PolicyState(TIERS[rank])
    later = replace(reading, time_ns=seconds(5.0))
    assert decide(state, later, PUBLISHED, LIMITS) == decide(state, later, PUBLISHED, LIMITS)


@given(stretches, tiers)
@settings(max_examples=200)
def test_moves_up_never_exceed_their_ration(parts: list[tuple[Reading, int]], tier: Tier) -> None:
    run = Run(tier)
    for reading, length in parts * 4:
        for _ in range(4 * length):
            run.read(reading)
    ups = [at_s for at_s, decision in run.changes if decision.tier.rank > decision.previous.rank]
    downs = len(run.changes) - len(ups)
    for first, begun_s in enumerate(ups):
        for number, at_s in enumerate(ups[first:], start=1):
            assert number <= UPS_AT_ONCE + (at_s - begun_s) * LIMITS.ups_per_hour / 3600 + 1e-6
    assert downs <= len(ups) + 3


def changes_in_an_hour(period_s: int, limits: Limits) -> tuple[int, int]:
    """Return the changes in the first and the second hour of a square wave across `high`."""
    run = Run(Tier.HIGH, limits)
    counts = []
    for _ in range(2):
        before = len(run.changes)
        for second in range(3600):
            busy = second % period_s >= period_s // 2
            run.read(replace(GOOD, cpu_foreign=0.55 if busy else 0.2))
        counts.append(len(run.changes) - before)
    return counts[0], counts[1]


def test_a_square_wave_across_one_threshold_does_not_flap() -> None:
    # The rate that is promised: a move up that fails within a minute doubles the wait, and slower
    # waves run into the ration of moves up: 3 at once and 8 an hour, and as many down.
    for period_s in (*range(2, 120, 7), 150, 200, 400, 600, 1800):
        first, second = changes_in_an_hour(period_s, LIMITS)
        assert first <= 2 * (3 + 8), period_s
        assert first + second <= 2 * (3 + 2 * 8) + 1, period_s
