"""Students of a pruned shape who have learnt a little, with temperatures of their own."""

import copy
from functools import cache

import torch
from msgspec.structs import replace

from tools.generated import generated
from tools.networks.fold import folded_students
from tools.networks.shape import Shape
from tools.networks.student import OUTPUTS, Students
from tools.tiers import AUDIO_FULL
from tools.training.losses import cross_entropy
from tools.training.pools import Drawn, Pools, pools

SHAPE = Shape(
    visual_28=(8, 12, 12, 16, 16),
    visual_14=(8, 12, 12, 20),
    audio=(12, 12, 8, 8, 16, 16),
    bands=(3, 35),
)


def made_pools(count: int = 100) -> Pools:
    """Pictures and sounds as these students take them; two pictures are black."""
    dataset = generated(count, 3, replace(AUDIO_FULL, band_slice=SHAPE.bands))
    dataset.pictures.images28[[4, 17]] = 0
    return pools([dataset])


def made_pairs(some: Pools) -> Drawn:
    """Every picture with some sound, often one without a word."""
    count = len(some.shown)
    return Drawn(torch.arange(count), (torch.arange(count) * 7 + 3) % count)


def made_students(folded: bool = False) -> Students:
    """Return students in evaluation mode, each time new ones of the same weights."""
    students = copy.deepcopy(learnt())
    return (folded_students(students) if folded else students).eval()


@cache
def learnt() -> Students:
    """Train every output for so few steps that each is right about other samples."""
    torch.manual_seed(1)
    students = Students(SHAPE).train()
    some = made_pools()
    batch = some.batch(some.draw(100, 0))
    optimiser = torch.optim.AdamW(students.parameters(), 5e-3)
    for _ in range(30):
        outputs = students.learn(batch).outputs
        losses = [cross_entropy(made.logits, batch.wanted(name)) for name, made in outputs.items()]
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
    for number, name in enumerate(OUTPUTS):
        students.tau(name).fill_(0.7 + 0.3 * number)
    return students
