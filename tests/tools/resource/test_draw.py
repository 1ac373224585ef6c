import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from edge_daemon.governor.headroom import Headroom, room, tier_for
from edge_daemon.tier import TIERS, Tier
from tools.resource.draw import draw_headroom


def draws(tier: Tier, count: int, seed: int = 1) -> list[Headroom]:
    generator = torch.Generator().manual_seed(seed)
    return [draw_headroom(tier, generator) for _ in range(count)]


def binding(headroom: Headroom) -> str:
    values = asdict(headroom)
    return min(values, key=lambda name: values[name])


@given(st.sampled_from(TIERS), st.integers(0, 2**63 - 1))
def test_what_is_drawn_for_a_tier_is_in_its_room(tier: Tier, seed: int) -> None:
    for headroom in draws(tier, 5, seed):
        assert tier_for(headroom) is tier
        assert all(0.0 <= value <= 1.0 for value in asdict(headroom).values())


@pytest.mark.parametrize("tier", TIERS)
def test_every_resource_binds_equally_often(tier: Tier) -> None:
    bound = [binding(headroom) for headroom in draws(tier, 4000)]
    for name in Headroom.__struct_fields__:
        assert bound.count(name) == pytest.approx(1000, abs=120)  # 4.4 standard deviations


@pytest.mark.parametrize("tier", TIERS[1:])
def test_the_binding_resource_is_uniform_over_the_room(tier: Tier) -> None:
    low, high = room(tier)
    least = torch.tensor([headroom.least for headroom in draws(tier, 4000)], dtype=torch.float64)
    shares = ((least - low) / (high - low)).sort().values
    even = torch.linspace(0.0, 1.0, 4000, dtype=torch.float64)
    assert (shares - even).abs().max() < 0.03  # Kolmogorov and Smirnov, p < 0.002


def test_critical_has_nothing_left_of_one_resource() -> None:
    assert {headroom.least for headroom in draws(Tier.CRITICAL, 100)} == {0.0}


@pytest.mark.parametrize("tier", TIERS)
def test_the_others_are_uniform_between_it_and_one(tier: Tier) -> None:
    shares = [
        (value - headroom.least) / (1.0 - headroom.least)
        for headroom in draws(tier, 2000)
        for name, value in asdict(headroom).items()
        if name != binding(headroom)
    ]
    found = torch.tensor(shares, dtype=torch.float64).sort().values
    even = torch.linspace(0.0, 1.0, len(found), dtype=torch.float64)
    assert (found - even).abs().max() < 0.025


def test_a_seed_gives_the_same_draws() -> None:
    assert draws(Tier.LOW, 20) == draws(Tier.LOW, 20)
    assert draws(Tier.LOW, 20) != draws(Tier.LOW, 20, seed=2)
