"""What a profile may not say."""

import math

import pytest
from msgspec.structs import replace

from edge_daemon.governor.profile import PUBLISHED, Profile, disorder
from edge_daemon.tier import Tier


def changed(tier: Tier, **values: float | None) -> Profile:
    """Return the published profile with one tier's values changed."""
    return replace(
        PUBLISHED, tiers={**PUBLISHED.tiers, tier: replace(PUBLISHED.tiers[tier], **values)}
    )


def keys(profile: Profile) -> list[str]:
    return [key for key, _ in disorder(profile)]


def test_the_published_profile_is_in_order() -> None:
    assert keys(PUBLISHED) == []


def test_equal_costs_are_in_order() -> None:
    low = PUBLISHED.tiers[Tier.LOW]
    assert keys(replace(PUBLISHED, tiers=dict.fromkeys(PUBLISHED.tiers, low))) == []


def test_absent_tiers_are_named() -> None:
    some = {tier: PUBLISHED.tiers[tier] for tier in (Tier.CRITICAL, Tier.HIGH)}
    ((key, text),) = disorder(replace(PUBLISHED, tiers=some))
    assert key == "tiers"
    assert text.startswith("low, medium missing")


@pytest.mark.parametrize("name", ["cycle_ms", "cpu_ms", "memory_mib"])
def test_a_higher_tier_that_costs_less_is_named(name: str) -> None:
    ((key, text),) = disorder(changed(Tier.MEDIUM, **{name: 11.0}))
    assert key == f"tiers.medium.{name}"
    assert "11" in text
    assert "low" in text


def test_power_is_known_of_all_tiers_or_of_none() -> None:
    assert keys(changed(Tier.HIGH, power_w=0.5)) == ["tiers.high.power_w"]
    rising = {
        tier: replace(cost, power_w=0.1 * tier.rank) for tier, cost in PUBLISHED.tiers.items()
    }
    assert keys(replace(PUBLISHED, tiers=rising)) == []
    rising[Tier.MEDIUM] = replace(rising[Tier.MEDIUM], power_w=0.05)
    assert keys(replace(PUBLISHED, tiers=rising)) == ["tiers.medium.power_w"]


def test_a_quantile_below_the_median_is_named() -> None:
    assert keys(changed(Tier.LOW, cycle_p95_ms=12.0)) == ["tiers.low.cycle_p95_ms"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_named(value: float) -> None:
    assert "tiers.low.gap_ms" in keys(changed(Tier.LOW, gap_ms=value))
    assert keys(replace(PUBLISHED, contention=value)) == ["contention"]
