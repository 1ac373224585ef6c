"""Margins: how they score, and when they are worked out."""

import pytest

from edge_daemon.governor.margin import Margin, Margins
from edge_daemon.tier import Tier


@pytest.mark.parametrize(("value", "score"), [(40.0, 0.0), (60.0, 1.0), (50.0, 0.5), (20.0, -1.0)])
def test_the_score_goes_from_leave_to_enter(value: float, score: float) -> None:
    assert Margin(Tier.MEDIUM, "available_memory", value, 60.0, 40.0).score == score


@pytest.mark.parametrize(("value", "score"), [(0.7, 0.0), (0.5, 1.0), (0.9, -1.0)])
def test_less_may_be_better(value: float, score: float) -> None:
    assert Margin(Tier.LOW, "foreign_load", value, 0.5, 0.7).score == pytest.approx(score)


def test_margins_are_worked_out_for_a_tier_that_is_asked_for_and_only_once() -> None:
    asked: list[Tier] = []

    def of(tier: Tier) -> list[Margin]:
        asked.append(tier)
        return [Margin(tier, "charge", 0.5, 0.3, 0.2)]

    found = Margins(of)
    assert [margin.tier for margin in found[Tier.HIGH]] == [Tier.HIGH]
    assert found[Tier.HIGH] is found[Tier.HIGH]
    assert [margin.tier for margin in found[Tier.LOW]] == [Tier.LOW]
    assert asked == [Tier.HIGH, Tier.LOW]
