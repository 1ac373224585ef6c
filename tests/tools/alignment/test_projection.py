import pytest
import torch
from torch.nn import functional as F

from tools.alignment.projection import Projection


@pytest.mark.parametrize(("width", "rank"), [(64, 9), (9, 9), (5, 1)])
def test_directions_stay_orthonormal_while_they_learn(width: int, rank: int) -> None:
    torch.manual_seed(0)
    projection = Projection(width, rank)
    features, wanted = torch.randn(32, width), torch.randn(32, rank)
    optimiser = torch.optim.AdamW(projection.parameters(), 0.05, weight_decay=0.1)
    before = projection.directions.detach().clone()
    losses = []
    for _ in range(20):
        loss = F.mse_loss(projection(features), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    directions = projection.directions.detach()
    assert losses[-1] < losses[0]
    assert (directions - before).abs().max() > 0.01
    torch.testing.assert_close(directions.T @ directions, torch.eye(rank), atol=1e-5, rtol=0)


def test_too_many_directions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rank 9 does not fit into 8 features: .*rank=8"):
        Projection(8, 9)


def test_directions_do_not_jump() -> None:
    """Householder's QR turns a column's sign over where its leading entry passes 0."""
    torch.manual_seed(0)
    projection = Projection(16, 9)
    with torch.no_grad():
        projection.free.copy_(torch.randn(16, 9))
        projection.free[0, 0] = 1e-4
        before = projection.directions
        projection.free[0, 0] = -1e-4
        assert (projection.directions - before).abs().max() < 0.01


def test_the_length_of_the_free_matrix_does_not_matter() -> None:
    torch.manual_seed(0)
    projection = Projection(16, 9)
    features = torch.randn(4, 16)
    before = projection(features)
    with torch.no_grad():
        projection.free.mul_(0.01)
    torch.testing.assert_close(projection(features), before)
