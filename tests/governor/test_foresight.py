"""The policy by a measured profile: what each tier would cost decides."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.foresight import foreseen_margins
from edge_daemon.governor.heat import rise_c
from edge_daemon.governor.limits import BatteryLimits, ForeseenLimits, Limits
from edge_daemon.governor.margin import QUANTITIES, Margin
from edge_daemon.governor.policy import decide, start, swap_failed
from edge_daemon.governor.pressure import alarm, unknown
from edge_daemon.governor.profile import Profile, TierCost
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.slowdown import expected_cycle_ms, own_share
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import seconds
from tests.governor.test_policy import GOOD
from tests.governor.test_policy_properties import stretches, tiers, wild_readings

# A board on which the tiers differ: a window every 40 ms, 40 ms to compute it in.
PROFILE = Profile(
    measured=True,
    tiers={
        Tier.CRITICAL: TierCost(0.828, 9.3, 10.2, 9.3, 0.0, 0.0, 0.1, 0.0),
        Tier.LOW: TierCost(0.852, 12.5, 13.8, 12.5, 14.0, 40.0, 0.1, 0.1),
        Tier.MEDIUM: TierCost(0.895, 18.2, 20.0, 18.2, 44.0, 60.0, 0.1, 0.3),
        Tier.HIGH: TierCost(0.923, 28.0, 29.0, 28.0, 104.0, 80.0, 0.1, 0.7),
    },
    cores=4.0,
    period_ms=40.0,
    contention=0.3,
    slowed=0.6,
)
LIMITS = Limits()
CALM = replace(GOOD, cpu_own=0.1, cores=4.0, memory_available_mib=400.0)


class Run:
    """The policy fed one reading a second; windows take `slower` times what is foreseen."""

    def __init__(
        self,
        tier: Tier,
        limits: Limits = LIMITS,
        profile: Profile = PROFILE,
        slower: float = 1.0,
    ) -> None:
        self.slower = slower
        self.state = PolicyState(tier)
        self.limits = limits
        self.profile = profile
        self.now_s = 1000.0
        self.changes: list[tuple[float, Decision]] = []

    def read(self, reading: Reading) -> Decision:
        self.now_s += 1.0
        load = reading.cpu_foreign or 0.0
        own = own_share(self.profile, self.tier, reading.cores)
        clock = self.profile.slowed if reading.throttled else 1.0
        expected_ms = expected_cycle_ms(self.profile, self.tier, load * clock, own, clock)
        reading = replace(
            reading,
            time_ns=seconds(self.now_s),
            cycle_ms=expected_ms * self.slower,
            cycle_tier=self.tier,
            cycles=25,
        )
        self.state, decision = decide(self.state, reading, self.profile, self.limits)
        if decision.changed:
            self.changes.append((self.now_s, decision))
        return decision

    def hold(self, reading: Reading, for_s: int) -> Decision:
        decision = self.read(reading)
        for _ in range(for_s - 1):
            decision = self.read(reading)
        return decision

    @property
    def tier(self) -> Tier:
        return self.state.tier


def settled(reading: Reading, limits: Limits = LIMITS, profile: Profile = PROFILE) -> Tier:
    run = Run(Tier.CRITICAL, limits, profile)
    run.hold(reading, 600)
    return run.tier


def margin_of(found: list[Margin], tier: Tier, quantity: str) -> Margin:
    (margin,) = [each for each in found if each.tier is tier and each.quantity == quantity]
    return margin


def test_an_idle_board_runs_the_best_tier() -> None:
    assert settled(CALM) is Tier.HIGH


def test_the_published_bands_do_not_count_any_more() -> None:
    # 75 % of foreign load would be `low` by the table; here it is what the windows take.
    small = replace(PROFILE, period_ms=400.0)
    assert settled(replace(CALM, cpu_foreign=0.75), profile=small) is Tier.HIGH


def test_windows_that_would_miss_the_deadline_end_a_tier() -> None:
    run = Run(Tier.HIGH)
    run.hold(CALM, 20)
    decision = run.hold(replace(CALM, cpu_foreign=0.9), 6)
    assert run.tier in (Tier.MEDIUM, Tier.LOW)
    down = run.changes[0][1]
    assert (down.resource, down.rule) == ("cpu", "cpu_limit")
    assert down.binding is not None
    assert down.binding.quantity == "latency_with"
    assert down.reason.startswith("a window's time in high is ")
    assert down.reason.endswith(" ms, at or above the 40.0 ms where high ends")
    assert decision.tier is run.tier


def test_windows_that_are_slower_than_foreseen_count() -> None:
    run = Run(Tier.HIGH, slower=1.5)
    run.hold(CALM, 20)
    assert run.tier is not Tier.HIGH
    assert run.state.estimate.slowdown.mean == pytest.approx(1.5, rel=0.15)


def test_memory_counts_both_pipelines_on_the_way_up_and_one_on_the_way_down() -> None:
    state, _ = start(Tier.MEDIUM, replace(CALM, memory_available_mib=100.0), PROFILE, LIMITS)
    estimate = state.estimate
    sigma_mib = estimate.memory_sigma_mib
    left = {
        tier: margin_of(
            foreseen_margins(tier, Tier.MEDIUM, CALM, estimate, PROFILE, LIMITS, None),
            tier,
            "memory_with",
        ).value
        + sigma_mib
        for tier in TIERS[1:]
    }
    assert left == {Tier.LOW: 130.0, Tier.MEDIUM: 100.0, Tier.HIGH: -4.0}


def test_heat_is_that_of_now_and_what_the_change_of_our_own_load_adds() -> None:
    warm = replace(CALM, temperature_c=60.0, temperature_critical_c=90.0)
    state, _ = start(Tier.MEDIUM, warm, PROFILE, LIMITS)
    for tier in TIERS[1:]:
        found = foreseen_margins(tier, Tier.MEDIUM, warm, state.estimate, PROFILE, LIMITS, None)
        change = own_share(PROFILE, tier, 4.0) - own_share(PROFILE, Tier.MEDIUM, 4.0)
        hotter_c = rise_c(state.estimate.heat, change, LIMITS.foreseen.horizon_s)
        assert (hotter_c > 0.0, hotter_c < 0.0) == (tier is Tier.HIGH, tier is Tier.LOW)
        distance_c = margin_of(found, tier, "critical_distance_with").value
        assert distance_c == pytest.approx(90.0 - 60.0 - hotter_c)


def test_a_tier_that_does_not_fit_beside_the_running_one_is_not_entered() -> None:
    assert settled(replace(CALM, memory_available_mib=100.0)) is Tier.MEDIUM
    assert settled(replace(CALM, memory_available_mib=60.0)) is Tier.LOW
    assert settled(replace(CALM, memory_available_mib=30.0)) is Tier.CRITICAL


def test_heat_is_priced_through_the_clock_and_vetoes_near_the_trip_point_only() -> None:
    # Slowed to 0.6 of its clock, `high` misses its deadline and `medium` does not.
    assert settled(replace(CALM, temperature_c=79.0)) is Tier.HIGH
    assert settled(replace(CALM, temperature_c=84.0, throttled=("throttled",))) is Tier.MEDIUM
    quick = replace(PROFILE, period_ms=400.0)
    hot = replace(CALM, temperature_c=84.0, throttled=("throttled",))
    assert settled(hot, profile=quick) is Tier.HIGH
    assert settled(replace(hot, temperature_c=104.0), profile=quick) is Tier.CRITICAL


def test_charge_counts_by_its_bands_until_a_runtime_is_asked_for() -> None:
    drained = replace(
        CALM,
        absent=("throttle",),
        battery_fraction=0.25,
        on_mains=False,
        power_w=3.0,
        runtime_s=5 * 3600.0,
    )
    assert settled(drained) is Tier.LOW  # 30 % would let `medium` in
    enough = Limits(battery=BatteryLimits(runtime_s=3 * 3600.0))
    assert settled(drained, enough) is Tier.HIGH
    long = Limits(battery=BatteryLimits(runtime_s=6 * 3600.0))
    run = Run(Tier.HIGH, long)
    decision = run.hold(drained, 2)
    assert run.tier is Tier.LOW
    assert decision.reason == (
        "battery runtime with medium is 5.8 h, at or below the 6.0 h where medium ends"
    )


def test_what_is_asked_of_the_charge_shrinks_as_time_passes() -> None:
    limits = Limits(battery=BatteryLimits(runtime_s=3600.0))
    reading = replace(
        CALM,
        absent=("throttle",),
        battery_fraction=0.1,
        on_mains=False,
        power_w=3.0,
        runtime_s=2400.0,
    )
    run = Run(Tier.CRITICAL, limits)
    run.hold(reading, 600)
    assert run.tier == "critical"
    run.hold(reading, 3000)
    assert run.tier is Tier.HIGH


def test_a_swap_that_costs_more_than_the_tier_brings_soon_is_waited_for_longer() -> None:
    slow = {tier: replace(cost, prepare_ms=1000.0) for tier, cost in PROFILE.tiers.items()}
    run = Run(Tier.LOW, profile=replace(PROFILE, tiers=slow))
    run.hold(CALM, 200)
    times = [at_s - 1001 for at_s, _ in run.changes]
    # A second of answers at 0.852 and 0.895, won back at 0.043 and 0.028 a second.
    assert times[0] == pytest.approx(0.852 / 0.043, abs=1.1)
    assert times[1] - times[0] == pytest.approx(0.895 / 0.028, abs=1.1)


def test_a_stricter_deadline_is_the_configs() -> None:
    strict = Limits(foreseen=ForeseenLimits(deadline_ms=20.0))
    assert settled(CALM, strict) is Tier.LOW


def test_what_would_have_to_change_is_in_words() -> None:
    run = Run(Tier.LOW)
    decision = run.hold(replace(CALM, memory_available_mib=60.0), 30)
    (need,) = decision.needs
    assert decision.rule == "memory_holds"
    assert need.wants() == (
        "memory left beside medium is 15 MiB and must be at least 32 MiB for medium"
    )
    assert need == decision.binding


@given(st.lists(wild_readings, min_size=1, max_size=30), tiers)
@settings(max_examples=200)
def test_no_reading_makes_it_raise_or_leave_the_tiers(readings: list[Reading], tier: Tier) -> None:
    state = PolicyState(tier)
    for reading in readings:
        before = state.tier
        state, decision = decide(state, reading, PROFILE, LIMITS)
        assert state.tier is decision.tier
        # Without pictures `low` is worth nothing, and is passed over.
        assert decision.tier.rank <= before.rank + (2 if reading.picture is False else 1)
        assert decision.reason
        assert LIMITS.poll_min_s <= decision.poll_s <= LIMITS.poll_max_s
        assert all(margin.quantity in QUANTITIES for margin in decision.needs)
        start(tier, reading, PROFILE, LIMITS)
        swap_failed(state, decision.tier, tier, LIMITS)


@given(stretches, tiers)
@settings(max_examples=100)
def test_nothing_is_entered_while_anything_is_unknown(
    parts: list[tuple[Reading, int]], tier: Tier
) -> None:
    run = Run(tier)
    for reading, length in parts:
        for _ in range(length):
            before = run.tier
            decision = run.read(reading)
            if decision.tier.rank > before.rank:
                assert decision.tier.rank == before.rank + 1
                assert not unknown(reading, LIMITS)
                assert alarm(reading, LIMITS) is None
                assert not reading.failed


@given(st.floats(0.0, 1.0), st.floats(0.0, 400.0), st.floats(30.0, 100.0), tiers)
@settings(max_examples=50, deadline=None)
def test_a_constant_board_settles_within_a_minute_or_climbs_only(
    load: float, memory_mib: float, temperature_c: float, tier: Tier
) -> None:
    run = Run(tier)
    constant = replace(
        CALM, cpu_foreign=load, memory_available_mib=memory_mib, temperature_c=temperature_c
    )
    run.hold(constant, 60)
    before = len(run.changes)
    run.hold(constant, 900)
    late = [decision.tier.rank - decision.previous.rank for _, decision in run.changes[before:]]
    assert all(step > 0 for step in late)
