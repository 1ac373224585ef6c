import pytest
import torch

from edge_daemon.tier import TIERS, Tier
from tools.networks.fold import folded
from tools.networks.student import Student, Students
from tools.tiers import AUDIO_SPECS, IMAGE_SPECS


@pytest.fixture(scope="module")
def students() -> Students:
    """Random students with statistics and temperatures of their own."""
    torch.manual_seed(1)
    students = Students().train()
    for _ in range(3):
        students.visual_28(torch.rand(8, 28, 28, 1))
        students.visual_14(torch.rand(8, 14, 14, 1))
        students.audio.both(torch.rand(8, 64, 40, 1))
    for value, name in ((1.4, "28"), (0.7, "14"), (1.8, "full"), (1.2, "prefix")):
        students.tau(name).fill_(value)
    return students.eval()


def inputs(tier: Tier, count: int = 5) -> tuple[torch.Tensor, torch.Tensor | None]:
    image, audio = IMAGE_SPECS[tier], AUDIO_SPECS[tier]
    sound = None if audio is None else torch.rand(count, audio.columns, audio.kept_bands, 1)
    return torch.rand(count, image.height, image.width, 1), sound


@pytest.mark.parametrize("tier", TIERS)
def test_takes_what_its_spec_says(students: Students, tier: Tier) -> None:
    student = students.tier(tier)
    image, sound = inputs(tier)
    assert student(image, sound).shape == (5, 10)
    assert student.columns == (0 if sound is None else sound.shape[1])


@pytest.mark.parametrize("tier", [Tier.HIGH, Tier.MEDIUM])
def test_probabilities_multiply(students: Students, tier: Tier) -> None:
    student = students.tier(tier)
    image, sound = inputs(tier)
    assert student.audio is not None and sound is not None
    heard = student.audio.partial(sound) if student.partial else student.audio(sound)
    seen = torch.softmax(student.visual(image) / student.tau_visual, 1)
    product = seen * torch.softmax(heard / student.tau_audio, 1)
    product = product / product.sum(1, keepdim=True)
    torch.testing.assert_close(torch.softmax(student(image, sound), 1), product)


@pytest.mark.parametrize("tier", TIERS)
def test_folding_keeps_the_answer(students: Students, tier: Tier) -> None:
    student = students.tier(tier)
    image, sound = inputs(tier)
    lean = folded(student)
    torch.testing.assert_close(
        torch.softmax(lean(image, sound), 1), torch.softmax(student(image, sound), 1)
    )
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in lean.modules())
    assert lean(image, sound).mean(1).abs().max() < 1e-5


def test_tiers_share_branches(students: Students) -> None:
    high, medium, low = (students.tier(tier) for tier in (Tier.HIGH, Tier.MEDIUM, Tier.LOW))
    assert isinstance(high, Student)
    assert high.visual is medium.visual is low.visual
    assert high.audio is medium.audio
    assert medium.partial and not high.partial
