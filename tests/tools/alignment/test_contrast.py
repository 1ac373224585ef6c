import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tools.alignment.contrast import instance_contrast, prototype_contrast, subspace_distance

TAU = 0.5


def vectors(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))


def test_prototype_contrast_is_a_written_out_sum() -> None:
    z = torch.tensor([[2.0, 0.0], [0.0, -3.0]])
    prototypes = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    first = -math.log(math.exp(1 / TAU) / (math.exp(1 / TAU) + 1.0))
    second = -math.log(math.exp(-1 / TAU) / (1.0 + math.exp(-1 / TAU)))
    found = prototype_contrast(z, torch.tensor([0, 1]), prototypes, TAU)
    assert float(found) == pytest.approx((first + second) / 2)


def test_instance_contrast_is_a_written_out_sum() -> None:
    student, teacher = vectors(3, 0), vectors(3, 1)
    total = 0.0
    for i in range(3):
        cosines = [
            float(student[i] @ teacher[j] / (student[i].norm() * teacher[j].norm()))
            for j in range(3)
        ]
        odds = [math.exp(cosine / TAU) for cosine in cosines]
        total -= math.log(odds[i] / sum(odds))
    assert float(instance_contrast(student, teacher, TAU)) == pytest.approx(total / 3, rel=1e-5)


def test_instances_of_a_class_repel_where_prototypes_do_not() -> None:
    """Two samples of one class at the same place: prototypes are content, InfoNCE is not."""
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    prototypes = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    content = prototype_contrast(z, torch.tensor([0, 0]), prototypes, 0.05)
    assert float(content) == pytest.approx(0.0, abs=1e-6)
    assert float(instance_contrast(z, z, 0.05)) == pytest.approx(math.log(2.0))


def test_distance_knows_directions_only() -> None:
    z = vectors(5)
    assert float(subspace_distance(z, 7.0 * z)) == pytest.approx(0.0, abs=1e-6)
    assert float(subspace_distance(z, -z)) == pytest.approx(2.0)
    right, up = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert float(subspace_distance(right, up)) == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0, 1, 4])
@pytest.mark.parametrize("kind", ["vectors", "zeros"])
def test_degenerate_batches_have_finite_gradients(count: int, kind: str) -> None:
    z = vectors(count) if kind == "vectors" else torch.zeros(count, 3)
    prototypes = F.normalize(vectors(2, 1), dim=1)
    labels = torch.zeros(count, dtype=torch.int64)
    for name in ("prototypes", "instances", "distance"):
        leaf = z.clone().requires_grad_()
        value = {
            "prototypes": prototype_contrast(leaf, labels, prototypes, TAU),
            "instances": instance_contrast(leaf, vectors(count, 2), TAU),
            "distance": subspace_distance(leaf, vectors(count, 2)),
        }[name]
        value.backward()
        assert leaf.grad is not None
        assert value.isfinite() and leaf.grad.isfinite().all()
        if count == 0:
            assert float(value.detach()) == 0.0
