"""Small batches, teachers and students, all made of random numbers."""

import torch
from torch import Tensor

from tools.alignment.subspace import Subspace, shared_subspace
from tools.methods.method import Widths, widths
from tools.training.activations import CELLS, Activations, Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import NOTHING

LABELS = 5
SEEN = [0, 1, 2, 3, 4, NOTHING, 2, NOTHING]
HEARD = [0, 1, 2, 3, 4, 3, NOTHING, NOTHING]
"""Five whole pairs, then only a sound, only a picture, and neither."""

STUDENT_STAGES = {"28": (3, 4, 6), "14": (3, 6), "full": (5, 5, 6, 6), "prefix": (5, 5, 6, 6)}
TEACHER_STAGES = {"visual": (4, 7), "audio": (3, 5, 8)}


def activations(count: int, width: int, stages: tuple[int, ...], seed: int) -> Activations:
    generator = torch.Generator().manual_seed(seed)

    def some(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=generator)

    return Activations(some(LABELS), some(width), tuple(some(size, CELLS) for size in stages))


def make_batch(seen: list[int] | None = None, heard: list[int] | None = None) -> Batch:
    """A batch of which the losses look at the labels only."""
    wanted = torch.tensor(SEEN if seen is None else seen)
    said = torch.tensor(HEARD if heard is None else heard)
    count, generator = len(wanted), torch.Generator().manual_seed(9)
    pictures = torch.rand(count, 28, 28, 1, generator=generator)
    sounds = torch.rand(count, 8, 6, 1, generator=generator)
    return Batch(pictures, pictures[:, ::2, ::2], sounds, wanted, said)


def make_taught(batch: Batch) -> Taught:
    """A teacher whose logits are 0 where nothing is seen or heard."""

    def branch(width: int, stages: tuple[int, ...], labels: Tensor, seed: int) -> Activations:
        made = activations(len(batch), width, stages, seed)
        known = (labels != NOTHING)[:, None].float()
        return Activations(3.0 * made.logits * known, made.features, made.stages)

    return Taught(
        branch(11, TEACHER_STAGES["visual"], batch.seen, 1),
        branch(12, TEACHER_STAGES["audio"], batch.heard, 2),
    )


def make_learnt(count: int) -> Learnt:
    """Students whose logits, features and stages are leaves."""
    outputs = {}
    for seed, (name, stages) in enumerate(STUDENT_STAGES.items()):
        made = activations(count, 6, stages, 10 + seed)
        for tensor in (made.logits, made.features, *made.stages):
            tensor.requires_grad_()
        outputs[name] = made
    return Learnt(outputs)


def make_widths() -> Widths:
    batch = make_batch()
    return widths(make_taught(batch), make_learnt(len(batch)))


def make_subspace() -> Subspace:
    generator = torch.Generator().manual_seed(3)
    means = [
        torch.randn(LABELS, size, generator=generator, dtype=torch.float64) for size in (11, 12)
    ]
    return shared_subspace(*means)
