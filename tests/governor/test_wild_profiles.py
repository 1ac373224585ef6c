"""What holds whatever the tiers cost and are worth, and whatever the limits are."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.allocation import ceiling, worths
from edge_daemon.governor.headroom import headroom
from edge_daemon.governor.limits import (
    BatteryLimits,
    ForeseenLimits,
    Limits,
    Priorities,
    TemperatureLimits,
)
from edge_daemon.governor.policy import decide, start, swap_failed
from edge_daemon.governor.profile import Profile, TierCost
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import seconds
from tests.governor.test_foresight import CALM, PROFILE
from tests.governor.test_policy_properties import (
    assert_explained,
    signals,
    tiers,
    wild_readings,
)

costs = st.sampled_from([0.0, 5e-324, 1.0, 30.0, 1e9]) | st.floats(0.0, 1e9)
times = costs.filter(lambda cost: cost > 0.0)
shares = st.floats(0.0, 1.0)
# In any order: a recording holds what it holds.
wild_profiles = st.builds(
    Profile,
    measured=st.booleans(),
    tiers=st.tuples(
        *[
            st.builds(
                TierCost,
                accuracy=shares | st.sampled_from([0.0, 0.9]),
                cycle_ms=times,
                cycle_p95_ms=times,
                cpu_ms=costs,
                memory_mib=costs,
                prepare_ms=costs,
                gap_ms=costs,
                power_w=st.none() | costs,
            )
            for _ in TIERS
        ]
    ).map(lambda found: dict(zip(TIERS, found, strict=True))),
    cores=st.floats(0.0, 4096.0, exclude_min=True),
    period_ms=st.floats(1.0, 60_000.0),
    contention=costs,
    slowed=st.floats(0.0, 1.0, exclude_min=True),
)
wild_limits = st.builds(
    Limits,
    poll_min_s=st.floats(0.1, 1.0),
    poll_max_s=st.floats(1.0, 60.0),
    down_polls=st.integers(1, 60),
    up_after_s=st.floats(0.0, 100.0),
    failed_within_s=st.floats(0.0, 86_400.0),
    up_after_max_s=st.floats(100.0, 86_400.0),
    forget_s=st.floats(1.0, 86_400.0),
    ups_per_hour=st.floats(0.1, 3600.0),
    lost_s=st.floats(5.0, 86_400.0),
    ignored=st.lists(st.sampled_from(signals), max_size=3).map(tuple),
    temperature=st.builds(TemperatureLimits, limit_c=st.none() | st.floats(30.0, 130.0)),
    battery=st.builds(BatteryLimits, runtime_s=st.none() | st.floats(60.0, 8_640_000.0)),
    foreseen=st.builds(
        ForeseenLimits,
        deadline_ms=st.none() | st.floats(1.0, 600_000.0),
        enter_share=st.floats(0.1, 0.99),
        quantile_z=st.floats(0.0, 5.0),
        caution_z=st.floats(0.0, 5.0),
        full_load=st.floats(0.5, 4.0),
        memory_margin_mib=st.floats(1.0, 1e6),
        horizon_s=st.floats(1.0, 3600.0),
    ),
    priorities=st.builds(Priorities, picture=st.floats(0.0, 100.0), sound=st.floats(0.0, 100.0)),
)


@given(
    st.lists(st.tuples(wild_readings, st.floats(0.0, 100.0)), min_size=1, max_size=8),
    tiers,
    wild_profiles,
    wild_limits,
)
@settings(max_examples=150, deadline=None)
def test_nothing_makes_it_raise_or_believe_what_is_no_number(
    readings: list[tuple[Reading, float]], tier: Tier, profile: Profile, limits: Limits
) -> None:
    state, now_s = PolicyState(tier), 1000.0
    for reading, after_s in readings:
        now_s += after_s
        reading = replace(reading, time_ns=seconds(now_s))
        before = state.tier
        state, decision = decide(state, reading, profile, limits)
        assert (decision.previous, decision.tier) == (before, state.tier)
        assert_explained(decision, profile, limits)
        assert limits.poll_min_s <= decision.poll_s <= limits.poll_max_s
        assert all(math.isfinite(need.value) and need.wants() for need in decision.needs)
        assert 0.0 <= headroom(reading, limits).least <= 1.0
        believed = state.estimate
        assert math.isfinite(believed.slowdown.mean + believed.slowdown.variance)
        assert believed.heat.fast_k >= 0.0
        assert believed.heat.slow_k >= 0.0
        for one in (
            decision,
            start(tier, reading, profile, limits)[1],
            swap_failed(state, decision.tier, tier, limits)[1],
        ):
            assert msgspec.json.encode(one)  # as the journal takes it


def settled(profile: Profile, tier: Tier) -> Tier:
    """Return the tier that a board with room on all sides ends in.

    A swap that hardly pays is waited for for ten minutes, and there are three of them.
    """
    state = PolicyState(tier)
    for second in range(2000):
        reading = replace(CALM, time_ns=seconds(1000.0 + second))
        state, _ = decide(state, reading, profile, Limits())
    return state.tier


@given(st.tuples(shares, shares, shares, shares), tiers)
@settings(max_examples=15, deadline=None)
def test_a_board_with_room_ends_in_the_cheapest_tier_that_is_worth_most(
    accuracies: tuple[float, ...], tier: Tier
) -> None:
    found = zip(TIERS, accuracies, strict=True)
    profile = with_costs({each: {"accuracy": accuracy} for each, accuracy in found})
    assert settled(profile, tier) is ceiling(worths(profile, Limits().priorities))


def test_equal_accuracies_are_not_paid_for() -> None:
    assert (
        settled(with_costs({tier: {"accuracy": 0.9} for tier in TIERS}), Tier.HIGH) is Tier.CRITICAL
    )


def test_falling_accuracies_are_not_paid_for() -> None:
    falling = {tier: {"accuracy": 0.9 - 0.1 * tier.rank} for tier in TIERS}
    assert settled(with_costs(falling), Tier.HIGH) is Tier.CRITICAL


def test_tiers_that_cost_nothing_all_run() -> None:
    free = {"cpu_ms": 0.0, "memory_mib": 0.0, "cycle_ms": 1e-9, "cycle_p95_ms": 1e-9}
    assert settled(with_costs(dict.fromkeys(TIERS, free)), Tier.CRITICAL) is Tier.HIGH


def test_a_tier_that_is_driven_out_where_the_next_one_is_not_says_by_what() -> None:
    # Its median is below that of `high`, but one window in twenty takes long.
    profile = with_costs({Tier.MEDIUM: {"cycle_p95_ms": 80.0}})
    reading = replace(CALM, time_ns=seconds(1000.0))
    _, decision = decide(PolicyState(Tier.MEDIUM), reading, profile, Limits())
    assert (decision.rule, decision.needs) == ("cpu_pending", (decision.binding,))
    assert decision.binding is not None
    assert (decision.binding.tier, decision.binding.quantity) == (Tier.MEDIUM, "latency_with")


@pytest.mark.parametrize("cost", ["memory_mib", "cycle_ms", "cpu_ms"])
def test_a_tier_that_costs_too_much_is_never_run(cost: str) -> None:
    dear = {cost: 1e9, "cycle_p95_ms": 1e9}
    assert settled(with_costs({Tier.MEDIUM: dear, Tier.HIGH: dear}), Tier.HIGH) is Tier.LOW


def with_costs(costs: dict[Tier, dict[str, float]]) -> Profile:
    """Return the profile with other costs in some tiers."""
    changed = {tier: replace(PROFILE.tiers[tier], **values) for tier, values in costs.items()}
    return replace(PROFILE, tiers={**PROFILE.tiers, **changed})
