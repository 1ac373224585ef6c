import pytest
import torch
from torch import nn

from tools.networks.separable import ConvNorm
from tools.networks.teacher import Narrowing, Residual, Teacher
from tools.training.activations import CELLS


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    """Random, with running statistics and temperatures of its own."""
    torch.manual_seed(0)
    teacher = Teacher(labels=7).train()
    with torch.no_grad():
        for _ in range(3):
            teacher(torch.rand(8, 28, 28, 1), torch.rand(8, 64, 40, 1))
    teacher.tau_visual.fill_(1.7)
    teacher.tau_audio.fill_(0.6)
    return teacher.eval()


def inputs(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return torch.rand(count, 28, 28, 1), torch.rand(count, 64, 40, 1)


@torch.no_grad()
def test_calibrated_probabilities_multiply(teacher: Teacher) -> None:
    image, audio = inputs()
    seen = torch.softmax(teacher.visual(image) / 1.7, 1)
    heard = torch.softmax(teacher.audio(audio) / 0.6, 1)
    product = seen * heard
    wanted = product / product.sum(1, keepdim=True)
    torch.testing.assert_close(torch.softmax(teacher(image, audio), 1), wanted)


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "cells", "stages", "features"),
    [("visual", (2, 2), (24, 32, 64), 3 * 3 * 64), ("audio", (4, 1), (16, 32, 48, 80), 2 * 5 * 80)],
)
def test_what_a_branch_shows_of_itself(
    teacher: Teacher,
    name: str,
    cells: tuple[int, int],
    stages: tuple[int, ...],
    features: int,
) -> None:
    branch = teacher.get_submodule(name)
    some = inputs()[name == "audio"]
    made = branch.activations(some, cells)
    torch.testing.assert_close(made.logits, branch(some))
    assert made.logits.shape == (3, 7)
    assert made.features.shape == (3, features)
    torch.testing.assert_close(branch.head(made.features), made.logits)
    assert [stage.shape for stage in made.stages] == [(3, width, CELLS) for width in stages]
    first = branch.maps(some)[0]
    assert first.shape[2:] == branch.size
    # The mean of equal cells is the mean of the map.
    torch.testing.assert_close(made.stages[0].mean(2), first.mean((2, 3)))


@torch.no_grad()
def test_places_lie_where_they_should(teacher: Teacher) -> None:
    picture, sound = torch.zeros(1, 28, 28, 1), torch.zeros(1, 64, 40, 1)
    lit, heard = picture.clone(), sound.clone()
    lit[:, 3:10, 18:25] = 1.0  # top right: the second of the 2 × 2 places
    heard[:, 35:45] = 1.0  # the third quarter
    for branch, cells, before, after, wanted in (
        (teacher.visual, (2, 2), picture, lit, [False, True, False, False]),
        (teacher.audio, (4, 1), sound, heard, [False, False, True, False]),
    ):
        stages = (branch.activations(some, cells).stages[0] for some in (before, after))
        was, became = stages
        assert (was != became).any(1)[0].tolist() == wanted


def test_features_are_averages_of_the_last_map() -> None:
    torch.manual_seed(3)
    teacher = Teacher(columns=32, bands=24).eval()
    image, audio = torch.rand(1, 28, 28, 1), torch.rand(1, 32, 24, 1)
    with torch.no_grad():
        seen, heard = (
            branch.maps(some)[-1]
            for branch, some in ((teacher.visual, image), (teacher.audio, audio))
        )
        pooled = teacher.visual.activations(image, (2, 2)).features.reshape(64, 3, 3)
        held = teacher.audio.activations(audio, (4, 1)).features.reshape(80, 1, 3)
    assert seen.shape[2:] == (7, 7) and heard.shape[2:] == (4, 3)
    for row in range(3):
        for column in range(3):
            window = seen[0, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            torch.testing.assert_close(pooled[:, row, column], window.mean((1, 2)))
    torch.testing.assert_close(held[:, 0], heard[0].mean(1))


def test_only_training_drops_features(teacher: Teacher) -> None:
    image, audio = inputs()
    torch.manual_seed(0)
    with torch.no_grad():
        assert torch.equal(teacher(image, audio), teacher(image, audio))
        teacher.visual.dropout.train()
        assert not torch.equal(teacher(image, audio), teacher(image, audio))
    teacher.eval()


def test_a_residual_without_weights_passes_its_input_on() -> None:
    block = Residual(4).eval()
    for part in block.modules():
        if isinstance(part, ConvNorm):
            nn.init.zeros_(part.conv.weight)
    x = torch.randn(2, 4, 6, 5)
    with torch.no_grad():
        assert torch.equal(block(x), torch.relu(x))


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (8, 5), (5, 8)])
def test_narrowing_looks_at_every_second_place(size: tuple[int, int]) -> None:
    """With a kernel that is 1 in its centre only: TensorFlow's SAME begins at 1 on even sizes."""
    layer = Narrowing(1, 1).eval()
    with torch.no_grad():
        layer.conv.conv.weight.zero_()[0, 0, 1, 1] = 1.0
        x = torch.rand(1, 1, *size)
        row, column = (1 - length % 2 for length in size)
        wanted = x[:, :, row::2, column::2]
        torch.testing.assert_close(layer(x), wanted, atol=1e-4, rtol=1e-4)
