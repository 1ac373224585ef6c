"""Each foreseen quantity against a figure worked out by hand."""

import math
from typing import Any

import pytest
from msgspec.structs import replace

from edge_daemon.governor import level
from edge_daemon.governor.estimate import FILTERS, Estimate
from edge_daemon.governor.foresight import foreseen_margins
from edge_daemon.governor.heat import PRIOR, Heat
from edge_daemon.governor.limits import ForeseenLimits, Limits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tests.governor.test_foresight import CALM, PROFILE, margin_of

# No caution: what is foreseen is the mean.
EXACT = Limits(foreseen=ForeseenLimits(caution_z=0.0, quantile_z=0.0, enter_share=0.9))
OWN = {tier: PROFILE.tiers[tier].cpu_ms / 40.0 / 4.0 for tier in TIERS}
SLOW = ("throttled",)


def foreseen(
    tier: Tier, quantity: str, reading: Reading = CALM, running: Tier | None = None, **known: Any
) -> Margin:
    """Return a margin of a tier that runs, or that is moved to from `running`."""
    estimate = Estimate(
        foreign=level.begin(reading.cpu_foreign, FILTERS.load),
        available=level.begin(reading.memory_available_mib, FILTERS.memory),
        discharge=level.begin(reading.power_w, FILTERS.power),
    )
    runtime_s = known.get("runtime_s")
    found = foreseen_margins(tier, running or tier, reading, estimate, PROFILE, EXACT, runtime_s)
    return margin_of(found, tier, quantity)


def test_load_is_that_of_all_and_ends_a_tier_where_much_waits() -> None:
    margin = foreseen(Tier.HIGH, "load_with", replace(CALM, cpu_foreign=0.8))
    assert margin.value == pytest.approx(0.8 + 0.175)
    assert (margin.enter, margin.leave) == (1.25, 1.35)


def test_a_load_that_was_measured_at_a_slow_clock_is_less_at_the_full_one() -> None:
    slow = replace(CALM, cpu_foreign=0.8, throttled=SLOW)
    assert foreseen(Tier.HIGH, "load_with", slow).value == pytest.approx(0.6 * 0.8 + 0.175)


def test_the_time_of_a_window_is_stretched_by_neighbours_by_the_queue_and_by_the_clock() -> None:
    busy = replace(CALM, cpu_foreign=0.6)
    margin = foreseen(Tier.HIGH, "latency_with", busy)
    assert margin.value == pytest.approx(28.0 * (1 + 0.3 * 0.8))  # three cores are all there is
    assert (margin.enter, margin.leave) == (36.0, 40.0)
    full = replace(CALM, cpu_foreign=0.9)
    assert foreseen(Tier.HIGH, "latency_with", full).value == pytest.approx(28.0 * 1.3 * 1.075)


@pytest.mark.parametrize(("running", "tier"), [("low", "high"), ("high", "low"), ("high", "high")])
def test_heat_is_todays_and_what_the_change_of_load_adds_in_a_minute(
    running: Tier, tier: Tier
) -> None:
    tier, running = Tier(tier), Tier(running)
    change = OWN[tier] - OWN[running]
    slow_k = Heat().slow_k * (1.0 - math.exp(-60.0 / PRIOR.slow_s))
    fast_k = Heat().fast_k * (1.0 - math.exp(-60.0 / PRIOR.fast_s))
    margin = foreseen(tier, "critical_distance_with", running=running)
    assert margin.value == pytest.approx(110.0 - 45.0 - change * (slow_k + fast_k))
    assert (margin.enter, margin.leave) == (11.0, 6.0)


def test_a_tier_whose_heat_would_slow_the_clock_is_foreseen_slow() -> None:
    warm = replace(CALM, temperature_c=79.9)
    fast = 28.0 * (1 + 0.3 * 0.1 * 4 / 3)
    assert foreseen(Tier.HIGH, "latency_with", warm).value == pytest.approx(fast)
    slow = foreseen(Tier.HIGH, "latency_with", warm, running=Tier.LOW)
    assert slow.value == pytest.approx(fast / 0.6)


@pytest.mark.parametrize(("below_c", "slow"), [(0.0, True), (2.9, True), (3.1, False)])
def test_the_firmware_lets_go_of_the_clock_three_degrees_below(below_c: float, slow: bool) -> None:
    reading = replace(CALM, cpu_foreign=0.0, temperature_c=80.0 - below_c, throttled=SLOW)
    expected_ms = 28.0 / 0.6 if slow else 28.0
    assert foreseen(Tier.HIGH, "latency_with", reading).value == pytest.approx(expected_ms)


def test_the_charge_must_last_and_a_tenth_longer_for_a_tier_that_begins() -> None:
    reading = replace(CALM, on_mains=False, battery_fraction=0.5, power_w=3.0, runtime_s=9000.0)
    margin = foreseen(Tier.HIGH, "runtime_with", reading, running=Tier.CRITICAL, runtime_s=3600.0)
    assert margin.value == pytest.approx(9000.0 * 3.0 / 3.7)
    assert margin.enter == pytest.approx(3960.0)
    assert margin.leave == 3600.0
