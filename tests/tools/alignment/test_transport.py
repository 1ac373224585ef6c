import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import Tensor
from torch.nn import functional as F

from tools.alignment.transport import flow, reweighted, stage_distances


def test_a_hand_solved_flow() -> None:
    """The first student stage gives 0.7, of which 0.4 finds room in the near teacher stage."""
    distances = np.array([[0.0, 1.0], [2.0, 0.5]])
    moved = flow(distances, np.array([0.7, 0.3]), np.array([0.4, 0.6]))
    np.testing.assert_allclose(moved, [[0.4, 0.3], [0.0, 0.3]], atol=1e-12)


@pytest.mark.parametrize(("students", "teachers"), [(4, 4), (3, 5), (1, 3)])
def test_flow_is_the_linear_program(students: int, teachers: int) -> None:
    rng = np.random.default_rng(students)
    distances = rng.random((students, teachers))
    given, taken = rng.dirichlet(np.ones(students)), rng.dirichlet(np.ones(teachers))
    moved = flow(distances, given, taken)
    np.testing.assert_allclose(moved.sum(1), given)
    np.testing.assert_allclose(moved.sum(0), taken)
    rows = np.kron(np.eye(students), np.ones(teachers))
    columns = np.kron(np.ones(students), np.eye(teachers))
    best = linprog(
        distances.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([given, taken])
    )
    assert (moved * distances).sum() == pytest.approx(best.fun)


def stage(width: int, seed: int, samples: int = 3, places: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(samples, width, places, generator=generator)


def test_distances_are_those_of_unit_vectors_at_each_place() -> None:
    taught = [stage(5, 1), stage(7, 2)]
    projected = torch.stack([stage(12, 3), stage(12, 4)]).transpose(2, 3)
    rows = torch.tensor([True, False, True])
    found = stage_distances(projected, taught, rows)
    assert found.shape == (2, 2)
    for i in range(2):
        for j, (first, last) in enumerate(((0, 5), (5, 12))):
            squares = [
                (
                    F.normalize(projected[i, n, p, first:last], dim=0)
                    - F.normalize(taught[j][n, :, p], dim=0)
                )
                .square()
                .sum()
                for n in (0, 2)
                for p in range(4)
            ]
            assert float(found[i, j]) == pytest.approx(float(torch.stack(squares).mean()), rel=1e-4)


def test_equal_stages_are_at_no_distance_and_length_does_not_count() -> None:
    taught = [stage(5, 1), stage(7, 2)]
    projected = 3.0 * torch.cat(taught, 1).transpose(1, 2)[None]
    found = stage_distances(projected, taught, torch.ones(3, dtype=torch.bool))
    torch.testing.assert_close(found, torch.zeros(1, 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shown", [False, True])
def test_silent_stages_and_empty_batches_have_finite_gradients(shown: bool) -> None:
    projected = torch.zeros(2, 3, 4, 5, requires_grad=True)
    found = stage_distances(projected, [stage(5, 1)], torch.full((3,), shown))
    found.sum().backward()
    assert projected.grad is not None and projected.grad.isfinite().all()
    assert found.isfinite().all()
    assert shown or float(found.detach().abs().sum()) == 0.0


def test_cheap_stages_weigh_more() -> None:
    """Costs per unit of weight of 1, 2 and 3, the mean 2: ratios of 2, 1 and 2/3."""
    weights = np.array([0.5, 0.25, 0.25])
    found = reweighted(weights, weights * np.array([1.0, 2.0, 3.0]))
    raised = np.exp([2.0, 1.0, 2.0 / 3.0])
    np.testing.assert_allclose(found, raised / raised.sum())


@pytest.mark.parametrize("cost", [0.0, 1e-3, 1e3])
def test_equal_costs_weigh_equally(cost: float) -> None:
    weights = np.array([0.2, 0.2, 0.2, 0.4])
    np.testing.assert_allclose(reweighted(weights, cost * weights), np.full(4, 0.25))


def test_weights_stay_above_nothing_when_a_stage_is_free() -> None:
    weights = np.full(4, 0.25)
    for _ in range(50):
        weights = reweighted(weights, weights * np.array([0.0, 1.0, 1.0, 1.0]))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] == weights.max() and weights.min() > 1e-3
