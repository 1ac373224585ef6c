"""What becomes of the figures."""

from dataclasses import replace as with_

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.profile import PUBLISHED, RISING, TierCost, disorder
from edge_daemon.inference.bundle import Bundle, load_bundle
from edge_daemon.inference.manifest import Accuracy
from edge_daemon.profiling.costs import accuracies_of, risen
from edge_daemon.tier import TIERS, Tier
from tests.inference.scenes import AVDIGITS, BARS


def judged(**by_tier: list[tuple[str, float]]) -> Bundle:
    """Return the small bundle with these accuracies in its manifest."""
    bundle = load_bundle(BARS)
    tiers = {
        tier: replace(
            spec,
            accuracy=tuple(Accuracy(name, value, 10) for name, value in by_tier[tier]),
        )
        for tier, spec in bundle.tiers.items()
    }
    return with_(bundle, tiers=tiers)


def test_accuracy_is_that_of_the_live_protocol() -> None:
    protocol, found = accuracies_of(load_bundle(AVDIGITS))
    assert protocol == "live"
    assert found == {
        Tier.CRITICAL: 0.9745,
        Tier.LOW: 0.9804,
        Tier.MEDIUM: 0.993,
        Tier.HIGH: 0.9933,
    }


def test_live_counts_wherever_it_stands_and_else_the_first_that_all_tiers_have() -> None:
    every = {str(tier): [("clean", 0.9), ("live", 0.5 + 0.1 * tier.rank)] for tier in TIERS}
    protocol, found = accuracies_of(judged(**every))
    assert (protocol, found[Tier.HIGH]) == ("live", 0.8)
    every["low"] = [("hard", 0.3), ("clean", 0.7)]
    protocol, found = accuracies_of(judged(**every))
    assert (protocol, found[Tier.LOW]) == ("clean", 0.7)


def test_without_any_the_published_figures_stand() -> None:
    protocol, found = accuracies_of(load_bundle(BARS))
    assert protocol == ""
    assert found == {tier: PUBLISHED.tiers[tier].accuracy for tier in TIERS}


def test_costs_that_rise_stay_as_they_are() -> None:
    assert risen(PUBLISHED.tiers) == (PUBLISHED.tiers, [])


def test_a_tier_that_seems_to_cost_less_costs_as_much_as_the_one_below() -> None:
    found = dict(PUBLISHED.tiers)
    found[Tier.MEDIUM] = replace(found[Tier.MEDIUM], memory_mib=10.0)
    found[Tier.HIGH] = replace(found[Tier.HIGH], memory_mib=19.9)
    costs, remarks = risen(found)
    assert [costs[tier].memory_mib for tier in TIERS] == [0.0, 20.0, 20.0, 20.0]
    # A difference of half a percent is noise and no remark.
    assert remarks == ["memory_mib of medium came out at 10, below that of low: taken as 20"]


AMOUNT = st.floats(0.001, 1e6)


@given(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, AMOUNT), min_size=4, max_size=4), st.booleans())
def test_whatever_is_measured_makes_a_profile_in_order(
    figures: list[tuple[float, float, float, float]], knows_power: bool
) -> None:
    found = {
        tier: TierCost(0.5, cycle, cycle, cpu, memory, power_w=power if knows_power else None)
        for tier, (cycle, cpu, memory, power) in zip(TIERS, figures, strict=True)
    }
    costs, _ = risen(found)
    assert list(disorder(replace(PUBLISHED, tiers=costs))) == []
    for name in RISING:
        highest = [getattr(found[tier], name) for tier in TIERS]
        for tier in TIERS:
            if highest[0] is not None:
                assert getattr(costs[tier], name) == max(highest[: tier.rank + 1])
