from dataclasses import replace

import pytest
import torch

from edge_daemon.tier import TIERS, Tier
from tests.tools.compression.conftest import Made
from tools.compression.budgets import Budget, Budgets
from tools.compression.cost import costs
from tools.compression.gates import Gates
from tools.compression.groups import BANDS
from tools.compression.prune import remove_closed
from tools.compression.selection import LEAST, LEAST_BANDS, BudgetError, Selection
from tools.networks.shape import Shape
from tools.networks.student import Students

SHAPE = Shape()
ANYTHING = Budgets({tier: Budget(10**9, 10**9) for tier in TIERS}, 10**9)


def close(gates: Gates, share: float, bands: tuple[int, int]) -> None:
    """Close a random share of every group for good and open the rest; keep a slice of bands."""
    with torch.no_grad():
        for name in gates.groups:
            values = gates.logarithm(name)
            values.copy_(torch.where(torch.rand_like(values) < share, -20.0, 20.0))
        gates.logarithm(BANDS).fill_(-20.0)[slice(*bands)] = 20.0


def answers(students: Students, bands: tuple[int, int]) -> list[torch.Tensor]:
    """All outputs for pictures and sounds that are always the same."""
    torch.manual_seed(5)
    images28, images14 = torch.rand(6, 28, 28, 1), torch.rand(6, 14, 14, 1)
    sounds = torch.rand(6, 64, 40, 1)[:, :, slice(*bands)]
    with torch.no_grad():
        visual = students.visual_28(images28), students.visual_14(images14)
        return [*visual, *students.audio.both(sounds)]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_removal_changes_no_answer(made: Made, share: float) -> None:
    students = made(SHAPE)
    gates = Gates(students).eval()
    gates.attach(students)
    close(gates, share, (3, 37))
    for value, name in ((1.4, "28"), (0.7, "prefix")):
        students.tau(name).fill_(value)
    wanted = answers(students, (0, 40))
    smaller = remove_closed(students, gates, ANYTHING)
    assert smaller.shape.bands == (3, 37)
    for found, before in zip(answers(smaller, (3, 37)), wanted, strict=True):
        torch.testing.assert_close(found, before, atol=1e-5, rtol=1e-5)
    assert float(smaller.tau("28")) == pytest.approx(1.4)
    for name, group in gates.groups.items():
        kept = int((gates.estimate(name) > 0).sum())
        for entry in group.entries:
            assert getattr(smaller.shape, group.branch)[entry] == kept
    # The given students are as they were, gates and all.
    for found, before in zip(answers(students, (0, 40)), wanted, strict=True):
        assert torch.equal(found, before)


def test_half_open_gates_are_folded_into_the_weights(made: Made) -> None:
    students = made(SHAPE)
    gates = Gates(students).eval()
    gates.attach(students)
    torch.manual_seed(1)
    with torch.no_grad():
        for name in gates.groups:
            gates.logarithm(name).uniform_(-2.3, 1.0)
    wanted = answers(students, (0, 40))
    smaller = remove_closed(students, gates, ANYTHING)
    assert smaller.shape == SHAPE
    for found, before in zip(answers(smaller, (0, 40)), wanted, strict=True):
        torch.testing.assert_close(found, before, atol=1e-5, rtol=1e-5)


def test_what_is_left_is_plain_and_loads_by_its_shape(made: Made) -> None:
    students = made(SHAPE)
    gates = Gates(students)
    close(gates, 0.5, (0, 40))
    smaller = remove_closed(students, gates, ANYTHING)
    count = [sum(p.numel() for p in some.parameters()) for some in (students, smaller)]
    assert count[1] < 0.5 * count[0]
    again = Students(smaller.shape)
    assert again.load_state_dict(smaller.state_dict())
    for found, before in zip(
        answers(again.eval(), (0, 40)), answers(smaller, (0, 40)), strict=True
    ):
        assert torch.equal(found, before)
    assert not any(part.gate for part in smaller.modules() if hasattr(part, "gate"))


def test_budgets_are_met_with_the_most_probable_channels(made: Made) -> None:
    students = made(SHAPE)
    gates = Gates(students)
    torch.manual_seed(2)
    with torch.no_grad():
        for name in gates.groups:
            gates.logarithm(name).normal_(3.0, 1.0)
    budgets = Budgets()
    assert budgets.exceeded(costs(SHAPE))
    smaller = remove_closed(students, gates, budgets)
    assert not budgets.exceeded(costs(smaller.shape))
    # No more was taken than needed: one of the few next ones does not fit.
    *rest, last = smaller.shape.visual_14
    wider = replace(smaller.shape, visual_14=(*rest, last + 3))
    assert Tier.CRITICAL in budgets.exceeded(costs(wider))
    # Those that are left of a group are the most probable: the stem keeps their weights.
    kept = smaller.shape.visual_14[0]
    best = gates.open()["visual_14.0"].topk(kept).indices.sort().values
    torch.testing.assert_close(
        smaller.visual_14.stem.conv.weight, students.visual_14.stem.conv.weight[best]
    )


def test_only_branches_of_a_tier_that_is_over_lose_channels(made: Made) -> None:
    students = made(SHAPE)
    small = {tier: Budget(10**9, 10**9) for tier in TIERS}
    small[Tier.CRITICAL] = Budget(200_000, 10**9)
    smaller = remove_closed(students, Gates(students), Budgets(small, 10**9)).shape
    assert smaller.visual_28 == SHAPE.visual_28 and smaller.audio == SHAPE.audio
    assert sum(smaller.visual_14) < sum(SHAPE.visual_14)
    small[Tier.CRITICAL] = Budget(10**9, 10**9)
    small[Tier.HIGH] = Budget(10**9, 10**9)
    every = remove_closed(students, Gates(students), Budgets(small, 90_000)).shape
    assert sum(every.visual_14) < sum(SHAPE.visual_14) and sum(every.audio) < sum(SHAPE.audio)


def test_least_channels_stay_and_impossible_budgets_are_named(made: Made) -> None:
    students = made(SHAPE)
    gates = Gates(students)
    close(gates, 1.1, (0, 3))
    shape = remove_closed(students, gates, ANYTHING).shape
    assert {*shape.visual_28, *shape.visual_14, *shape.audio} == {LEAST}
    assert shape.bands == (0, LEAST_BANDS)
    tight = Budgets({tier: Budget(1000, 10**9) for tier in TIERS}, 10**9)
    with pytest.raises(BudgetError, match=r"critical: \d+ MACs of at most 1000"):
        remove_closed(students, gates, tight)


def test_bands_go_from_the_ends_alone() -> None:
    gates = Gates(Students(SHAPE))
    probabilities = {name: torch.full((group.width,), 0.9) for name, group in gates.groups.items()}
    probabilities[BANDS][10] = 0.5  # the least probable of all, but in the middle
    probabilities[BANDS][39] = 0.6
    selection = Selection(SHAPE, gates.groups, probabilities)
    assert selection.cheapest({Tier.HIGH}) == (BANDS, 39)
    selection.close(BANDS, 39)
    assert selection.contiguous() and selection.shape.bands == (0, 39)
    selection.close(BANDS, 1)
    assert not selection.contiguous()
    selection.reopen(BANDS, 1)
    assert selection.contiguous() and selection.kept(BANDS) == list(range(39))
    assert selection.cheapest({Tier.CRITICAL}) == ("visual_14.0", 0)
