import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from edge_daemon.governor.headroom import Headroom
from edge_daemon.tier import TIERS
from tools.resource.coefficients import (
    AVERAGE,
    Balance,
    Coefficients,
    abundance,
    coefficients,
    resource_weights,
)
from tools.resource.draw import draw_headroom

NONE = Headroom(cpu=0.0, memory=0.0, energy=0.0, thermal=0.0)
ALL = Headroom(cpu=1.0, memory=1.0, energy=1.0, thermal=1.0)

shares = st.floats(0.0, 1.0)
headrooms = st.tuples(shares, shares, shares, shares)


def rows(*values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def floats(found: tuple[Tensor, ...]) -> list[float]:
    return [value.item() for value in found]


def test_the_ends_are_the_documented_ones() -> None:
    assert floats(coefficients(ALL)) == pytest.approx([0.50, 0.30, 0.15, 0.05], abs=1e-6)
    assert floats(coefficients(NONE)) == pytest.approx([0.35, 0.40, 0.05, 0.20], abs=1e-6)


@given(headrooms)
def test_both_are_weights(values: tuple[float, ...]) -> None:
    for found in (coefficients(rows(values)), resource_weights(rows(values))):
        assert min(floats(found)) >= 0
        assert sum(floats(found)) == pytest.approx(1.0, abs=1e-12)


@given(headrooms, st.integers(0, 3), shares)
def test_scarcity_leans_on_the_teacher_and_on_saving_and_not_on_features(
    values: tuple[float, ...], index: int, fallen: float
) -> None:
    less = list(values)
    less[index] *= fallen
    before, after = coefficients(rows(values)), coefficients(rows(tuple(less)))
    rounding = 1e-12
    assert after.beta >= before.beta - rounding
    assert after.delta >= before.delta - rounding
    assert after.gamma <= before.gamma + rounding
    assert after.alpha <= before.alpha + rounding


@given(headrooms, st.integers(0, 3), shares)
def test_a_resource_that_falls_never_weighs_less_in_what_it_asks_to_save(
    values: tuple[float, ...], index: int, fallen: float
) -> None:
    less = list(values)
    less[index] *= fallen
    name = ("latency", "bytes", "macs", "macs")[index]
    before = getattr(resource_weights(rows(values)), name)
    assert getattr(resource_weights(rows(tuple(less))), name) >= before - 1e-12


@pytest.mark.parametrize(
    ("scarce", "name"),
    [("cpu", "latency"), ("memory", "bytes"), ("energy", "macs"), ("thermal", "macs")],
)
def test_a_scarce_resource_takes_most_of_the_resource_term(scarce: str, name: str) -> None:
    left = [0.0 if field == scarce else 1.0 for field in Headroom.__struct_fields__]
    found = resource_weights(Headroom(*left))._asdict()
    assert found.pop(name).item() == pytest.approx(5 / 7, abs=0.01)
    for rest in found.values():
        assert rest.item() == pytest.approx(1 / 7, abs=0.01)


@given(shares)
def test_the_split_is_even_where_all_resources_are_alike(share: float) -> None:
    found = floats(resource_weights(rows((share,) * 4)))
    assert found == pytest.approx([1 / 3] * 3, abs=1e-9)


@given(headrooms, st.floats(0.01, 0.5))
def test_abundance_is_a_soft_minimum(values: tuple[float, ...], softness: float) -> None:
    found = abundance(rows(values), softness).item()
    exact = -softness * math.log(sum(math.exp(-value / softness) for value in values) / 4)
    assert found == pytest.approx(exact, abs=1e-9)
    mean = sum(values) / 4
    assert min(values) - 1e-9 <= found <= min(min(values) + softness * math.log(4), mean) + 1e-9


@given(headrooms, st.permutations(range(4)))
def test_all_resources_count_alike(values: tuple[float, ...], order: list[int]) -> None:
    shuffled = tuple(values[index] for index in order)
    assert floats(coefficients(rows(shuffled))) == pytest.approx(
        floats(coefficients(rows(values))), abs=1e-12
    )


def test_they_are_differentiable_and_the_gradient_is_that_of_small_steps() -> None:
    # 0.4 twice: a hard minimum has no gradient where two components are equal.
    left = rows((0.4, 0.4, 0.7, 0.99), (0.1, 0.9, 0.5, 0.3)).requires_grad_()
    for function in (coefficients, resource_weights):
        assert torch.autograd.gradcheck(lambda r, f=function: tuple(f(r)), (left,))


def test_many_headrooms_at_once_are_each_by_itself() -> None:
    several = rows((0.1, 0.9, 0.5, 0.3), (1.0, 1.0, 1.0, 1.0), (0.0, 0.2, 0.9, 0.4))
    for function in (coefficients, resource_weights):
        together = torch.stack(tuple(function(several)), -1)
        assert together.shape[0] == 3
        for row, found in zip(several, together, strict=True):
            assert torch.equal(torch.stack(tuple(function(row))), found)


def test_a_headroom_an_array_and_a_tensor_are_the_same() -> None:
    values = (0.25, 0.5, 0.75, 1.0)
    expected = floats(coefficients(rows(values)))
    assert floats(coefficients(np.array(values))) == expected
    assert floats(coefficients(Headroom(*values))) == pytest.approx(expected, abs=1e-6)
    assert coefficients(torch.tensor(values)).alpha.dtype is torch.float32
    assert coefficients(np.array(values)).alpha.dtype is torch.float64


@given(headrooms)
def test_without_conditioning_every_headroom_weighs_the_same(values: tuple[float, ...]) -> None:
    several = rows(values, (0.0, 0.0, 0.0, 0.0))
    for function in (coefficients, resource_weights):
        found = function(several, conditioned=False)
        fixed = function(AVERAGE)
        for weights, weight in zip(found, fixed, strict=True):
            assert weights.shape == (2,)
            assert weights.tolist() == pytest.approx([weight.item()] * 2, abs=1e-6)


def test_the_fixed_headroom_is_the_average_of_what_is_drawn() -> None:
    generator = torch.Generator().manual_seed(5)
    drawn = [coefficients(draw_headroom(tier, generator)) for tier in TIERS for _ in range(500)]
    mean = [sum(weights) / len(drawn) for weights in zip(*drawn, strict=True)]
    fixed = floats(coefficients(ALL, conditioned=False))
    assert [value.item() for value in mean] == pytest.approx(fixed, abs=0.005)


@pytest.mark.parametrize(
    "wrong",
    [
        torch.ones(3),
        torch.tensor(0.5),
        torch.tensor([0.5, 0.5, 0.5, 1.01]),
        torch.tensor([0.5, -0.01, 0.5, 1.0]),
        torch.tensor([0.5, math.nan, 0.5, 1.0]),
        torch.tensor([0, 1, 1, 1]),
    ],
)
def test_what_is_no_headroom_is_refused(wrong: Tensor) -> None:
    with pytest.raises(ValueError, match=r"^headroom: "):
        coefficients(wrong)


def test_constants_that_break_a_promise_are_refused() -> None:
    fine = Balance()
    with pytest.raises(ValueError, match=r"Balance\.plenty.*sum to 1"):
        replace(fine, plenty=Coefficients(0.5, 0.3, 0.15, 0.06))
    with pytest.raises(ValueError, match=r"Balance\.scarce.*≥ 0"):
        replace(fine, scarce=Coefficients(0.35, 0.5, -0.05, 0.2))
    for scarce in ((0.45, 0.29, 0.06, 0.2), (0.5, 0.4, 0.06, 0.04), (0.2, 0.4, 0.2, 0.2)):
        with pytest.raises(ValueError, match=r"Balance\.scarce: beta and delta"):
            replace(fine, scarce=Coefficients(*scarce))
    with pytest.raises(ValueError, match=r"Balance\.softness"):
        replace(fine, softness=0.0)
    with pytest.raises(ValueError, match=r"Balance\.evenness"):
        replace(fine, evenness=math.nan)
