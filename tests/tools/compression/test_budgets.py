import pytest
import torch

from edge_daemon.tier import TIERS, Tier
from tools.compression.budgets import DEFAULT, Budget, Budgets, check
from tools.compression.cost import MEGA_MAC_US, Cost, costs
from tools.compression.loss import overshoot, resource_loss
from tools.networks.shape import Shape

BUDGET = Budget(macs=1000, bytes=200, latency_us=50.0)
EQUAL = (1 / 3, 1 / 3, 1 / 3)


def cost(macs: float, size: float, latency_us: float) -> Cost:
    return Cost(*(torch.tensor(value, requires_grad=True) for value in (macs, size, latency_us)))


def test_what_is_over_is_said() -> None:
    assert check(Cost(1000, 200, 50.0), BUDGET) == []
    assert check(Cost(1001, 200, 60.4), BUDGET) == [
        "1001 MACs of at most 1000",
        "60 µs of at most 50",
    ]
    assert check(Cost(1, 1, 1e9), Budget(1, 1)) == []


def test_all_files_together_have_a_budget() -> None:
    tiers = dict.fromkeys(TIERS, BUDGET)
    each = {tier: Cost(1, 100, 1.0) for tier in TIERS}
    assert Budgets(tiers, 400).exceeded(each) == {}
    found = Budgets(tiers, 399).exceeded(each)
    assert set(found) == set(TIERS)
    assert found[Tier.LOW] == ["400 bytes of at most 399 in all files together"]
    each[Tier.HIGH] = Cost(1, 201, 1.0)
    assert set(Budgets(tiers, 1000).exceeded(each)) == {Tier.HIGH}


def test_the_times_follow_from_the_macs() -> None:
    # Whatever meets its MACs meets its time, which so is no second budget on this machine.
    for tier, now in costs(Shape()).items():
        budget = DEFAULT[tier]
        spared = (now.macs - budget.macs) / 1e6 * MEGA_MAC_US
        assert budget.latency_us is not None
        assert 0.0 <= budget.latency_us - (now.latency_us - spared) < 1.0


def test_within_the_budget_nothing_is_lost_or_pulled() -> None:
    spent = cost(1000.0, 150.0, 50.0)
    loss = resource_loss(spent, BUDGET, EQUAL)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert [float(part.grad) for part in spent] == [0.0, 0.0, 0.0]


def test_overshoot_is_relative_and_weighted() -> None:
    spent = cost(2000.0, 200.0, 150.0)
    weights = (0.5, 0.2, 0.3)
    loss = resource_loss(spent, BUDGET, weights)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.5 * 0.95 + 0.3 * 1.95)
    assert [float(part.grad) for part in spent] == pytest.approx([0.5 / 1000, 0.0, 0.3 / 50])
    unlimited = resource_loss(spent, Budget(1000, 200), weights)
    assert float(unlimited.detach()) == pytest.approx(0.5 * 0.95)


def test_the_slope_grows_from_0_to_1_without_a_jump() -> None:
    ratio = torch.linspace(0.5, 2.0, 3001, dtype=torch.float64, requires_grad=True)
    value = overshoot(ratio)
    value.sum().backward()
    slope = ratio.grad
    assert slope is not None
    assert float(slope.diff().abs().max()) < 0.006 and bool((slope.diff() >= -1e-12).all())
    assert float(slope[0]) == 0.0 and float(slope[-1]) == 1.0
    # The slope is the derivative of the value.
    torch.testing.assert_close(
        value.detach().diff(), (slope[1:] + slope[:-1]) / 2 * 5e-4, atol=1e-9, rtol=1e-3
    )
