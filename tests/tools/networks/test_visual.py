import pytest
import torch

from tools.networks.separable import SeparableBlock, pad_same
from tools.networks.visual import VisualBranch, visual_14, visual_28


@pytest.mark.parametrize(("branch", "size"), [(visual_28(), 28), (visual_14(), 14)])
def test_shapes(branch: VisualBranch, size: int) -> None:
    assert branch(torch.rand(3, size, size, 1)).shape == (3, 10)


def test_small_enough() -> None:
    assert sum(weights.numel() for weights in visual_28().parameters()) < 30_000
    assert sum(weights.numel() for weights in visual_14().parameters()) < 20_000


@pytest.mark.parametrize("size", [7, 14, 28])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding(size: int, stride: int) -> None:
    block = SeparableBlock(4, 6, stride).eval()
    assert block(torch.rand(1, 4, size, size)).shape[2:] == (-(-size // stride),) * 2
    # As TensorFlow pads: all of an uneven row comes after the picture.
    padded = pad_same(torch.ones(1, 1, size, size), stride)
    assert padded[0, 0, 0, 0] == (1.0 if stride == 2 and size % 2 == 0 else 0.0)


def test_a_digit_is_told_by_its_place() -> None:
    # An average over the last map would give both the same.
    torch.manual_seed(0)
    branch = visual_28()  # in training mode, so that an untrained network does not fade out
    picture = torch.zeros(2, 28, 28, 1)
    picture[0, 8:12, 8:12] = 1.0
    picture[1, 16:20, 16:20] = 1.0
    logits = branch(picture)
    assert not torch.allclose(logits[0], logits[1], atol=0.1)
