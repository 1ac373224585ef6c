import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.tier import TIERS, Tier
from tools.choice.candidate import Candidate, front
from tools.choice.choose import ChoiceError, choose, choose_together
from tools.choice.score import score
from tools.compression.budgets import Budget, Budgets

BUDGET = Budget(macs=1000, bytes=1000)

SLOW = Candidate("slow", 0.95, 80.0, 900, 900)
QUICK = Candidate("quick", 0.93, 40.0, 800, 800)
HUGE = Candidate("huge", 0.99, 40.0, 1001, 1000)
HEAVY = Candidate("heavy", 0.99, 40.0, 1000, 1001)


def test_the_best_score_is_chosen_and_the_others_are_told_why() -> None:
    found = choose([SLOW, QUICK, HUGE, HEAVY], BUDGET, 40.0)
    assert found.best is QUICK
    assert found.scores["huge"] == pytest.approx(0.99)
    assert found.reasons == {
        "slow": "scores 0.9050, quick 0.9300",
        "huge": "1001 bytes of at most 1000",
        "heavy": "1001 MACs of at most 1000",
    }


def test_a_weaker_exponent_prefers_accuracy() -> None:
    assert choose([SLOW, QUICK], BUDGET, 40.0, w=-0.01).best is SLOW


def test_a_latency_budget_is_hard() -> None:
    budget = replace(BUDGET, latency_us=50.0)
    found = choose([SLOW, QUICK], budget, 40.0, w=-0.01)
    assert found.best is QUICK
    assert found.reasons == {"slow": "80 µs of at most 50"}


def test_of_equal_scores_the_smaller_file_then_the_first() -> None:
    alike = [
        replace(QUICK, name="large"),
        replace(QUICK, name="small", bytes=700),
        replace(QUICK, name="same", bytes=700),
    ]
    found = choose(alike, BUDGET, 40.0)
    assert found.best.name == "small"
    assert found.reasons["large"] == "scores as small, which is not larger"


def test_nothing_within_the_budget() -> None:
    with pytest.raises(ChoiceError, match=r"huge: 1001 bytes.*heavy: 1001 MACs.*smaller models"):
        choose([HUGE, HEAVY], BUDGET, 40.0)
    with pytest.raises(ChoiceError, match="no candidates"):
        choose([], BUDGET, 40.0)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="quick: more than one candidate"):
        choose([QUICK, replace(QUICK, bytes=1)], BUDGET, 40.0)


candidates = st.lists(
    st.builds(
        Candidate,
        name=st.just(""),
        accuracy=st.sampled_from([0.8, 0.9, 0.95]),
        latency_us=st.sampled_from([20.0, 40.0, 80.0]),
        bytes=st.integers(1, 10).map(lambda n: 100 * n),
        macs=st.sampled_from([500, 1000, 1500]),
    ),
    min_size=1,
    max_size=3,
).map(lambda some: [replace(one, name=str(at)) for at, one in enumerate(some)])


@settings(deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(TIERS, candidates)), st.integers(4, 30))
def test_together_is_that_of_brute_force(some: dict[Tier, list[Candidate]], hundreds: int) -> None:
    budgets = Budgets(dict.fromkeys(TIERS, BUDGET), 100 * hundreds)
    fitting = [
        chosen
        for chosen in itertools.product(*some.values())
        if all(one.macs <= 1000 and one.bytes <= 1000 for one in chosen)
        and sum(one.bytes for one in chosen) <= budgets.bytes
    ]
    targets_us = dict.fromkeys(TIERS, 40.0)
    if not fitting:
        with pytest.raises(ChoiceError):
            choose_together(some, budgets, targets_us)
        return
    found = choose_together(some, budgets, targets_us)
    best = [found[tier].best for tier in TIERS]
    assert product(best) == pytest.approx(max(map(product, fitting)))
    assert sum(one.bytes for one in best) <= budgets.bytes
    for tier in TIERS:
        assert found[tier].reasons.keys() == {one.name for one in some[tier]} - {
            found[tier].best.name
        }


def product(chosen: Sequence[Candidate]) -> float:
    return math.prod(score(one.accuracy, one.latency_us, 40.0) for one in chosen)


def test_a_common_budget_takes_where_it_costs_least() -> None:
    """Both tiers want 900 bytes of 1,500 in all; the one that loses less gives way."""
    tiers = {
        Tier.HIGH: [Candidate("wide", 0.99, 40.0, 900, 1), Candidate("narrow", 0.90, 40.0, 500, 1)],
        Tier.LOW: [Candidate("wide", 0.99, 40.0, 900, 1), Candidate("narrow", 0.98, 40.0, 500, 1)],
    }
    budgets = Budgets(dict.fromkeys(TIERS, BUDGET), 1500)
    found = choose_together(tiers, budgets, dict.fromkeys(TIERS, 40.0))
    assert (found[Tier.HIGH].best.name, found[Tier.LOW].best.name) == ("wide", "narrow")
    assert found[Tier.LOW].reasons["wide"] == (
        "scores 0.9900, but leaves too few bytes to the other tiers"
    )
    with pytest.raises(ChoiceError, match="take 1000 bytes of at most 999"):
        choose_together(tiers, replace(budgets, bytes=999), dict.fromkeys(TIERS, 40.0))


def test_the_tier_without_a_candidate_is_named() -> None:
    budgets = Budgets(dict.fromkeys(TIERS, BUDGET), 10_000)
    with pytest.raises(ChoiceError, match="critical: none is within"):
        choose_together(
            {Tier.LOW: [QUICK], Tier.CRITICAL: [HUGE]}, budgets, dict.fromkeys(TIERS, 40.0)
        )


def test_the_front_holds_what_nothing_dominates() -> None:
    worse = Candidate("worse", 0.93, 41.0, 800, 1)
    small = Candidate("small", 0.90, 40.0, 100, 1)
    twin = replace(QUICK, name="twin")
    assert front([SLOW, QUICK, worse, small, twin]) == [SLOW, QUICK, small, twin]
