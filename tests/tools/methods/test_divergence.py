import math

import pytest
import torch
from torch.nn import functional as F

from tools.methods.divergence import softened_divergence


def test_a_written_out_sum() -> None:
    learnt, taught, tau = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 4.0]]), 2.0
    student = math.exp(1) / (math.exp(1) + 1)
    teacher = 1 / (1 + math.exp(2))
    expected = teacher * math.log(teacher / student)
    expected += (1 - teacher) * math.log((1 - teacher) / (1 - student))
    assert float(softened_divergence(learnt, taught, tau)) == pytest.approx(4.0 * expected)


def test_nothing_if_and_only_if_equal_but_for_a_constant() -> None:
    generator = torch.Generator().manual_seed(0)
    taught = torch.randn(6, 4, generator=generator)
    shifted = taught + torch.randn(6, 1, generator=generator)
    assert float(softened_divergence(shifted, taught, 3.0)) == pytest.approx(0.0, abs=1e-5)
    for row in range(6):
        other = taught.clone()
        other[row, 0] += 0.5
        assert float(softened_divergence(other, taught, 3.0)) > 1e-3


def test_the_batch_is_averaged() -> None:
    generator = torch.Generator().manual_seed(0)
    learnt, taught = (torch.randn(5, 4, generator=generator) for _ in range(2))
    rows = [softened_divergence(learnt[i : i + 1], taught[i : i + 1], 2.0) for i in range(5)]
    torch.testing.assert_close(softened_divergence(learnt, taught, 2.0), torch.stack(rows).mean())


def test_the_gradient_hardly_depends_on_tau() -> None:
    """For tau far above the logits it is their difference over the classes (Hinton's eq. 4)."""
    generator = torch.Generator().manual_seed(0)
    learnt = torch.randn(1, 4, generator=generator)
    taught = torch.randn(1, 4, generator=generator)
    expected = ((learnt - learnt.mean()) - (taught - taught.mean())) / 4
    for tau in (100.0, 300.0):
        leaf = learnt.clone().requires_grad_()
        softened_divergence(leaf, taught, tau).backward()
        torch.testing.assert_close(leaf.grad, expected, rtol=0.05, atol=1e-3)


def test_certain_answers_have_finite_gradients() -> None:
    leaf = torch.tensor([[300.0, -300.0]], requires_grad=True)
    loss = softened_divergence(leaf, torch.tensor([[-300.0, 300.0]]), 1.0)
    loss.backward()
    assert leaf.grad is not None
    assert loss.isfinite() and leaf.grad.isfinite().all()
    assert F.softmax(leaf.grad, 1)[0, 1] < 0.5
