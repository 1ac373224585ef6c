"""The supervision-transfer baseline: one modality's features teach the other's network."""

import torch
from torch import Tensor, nn

from tools.methods.labels import tier_cross_entropy
from tools.methods.method import MODALITY, OTHER, PRETRAINING, Method, Widths
from tools.training.activations import Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import NOTHING


class Transfer(Method):
    """First regresses the teacher's features of the other modality, then trains on the labels.

    Gupta, Hoffman and Malik 2016, "Cross modal distillation for supervision transfer": what a
    network of one modality represents is the target for a network that sees the paired sample of
    another. The linear maps between both are thrown away.

    Args:
        widths: of students and teacher.
    """

    name = "transfer"
    calibrated = False

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.maps = nn.ModuleDict(
            {
                name: nn.Linear(width, widths.teacher_features[OTHER[MODALITY[name]]])
                for name, width in widths.features.items()
            }
        )

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the term `transfer`, summed over the outputs, and later `task` in its place."""
        if progress >= PRETRAINING:
            return {"task": tier_cross_entropy(batch, learnt)}
        paired = (batch.seen != NOTHING) & (batch.heard != NOTHING)
        terms = [
            unexplained(self.maps[name](made.features)[paired], taught.other(name).features[paired])
            for name, made in learnt.outputs.items()
        ]
        return {"transfer": torch.stack(terms).sum()}


def unexplained(guessed: Tensor, wanted: Tensor) -> Tensor:
    """Return the share [] of the variance of `wanted` that a regression leaves unexplained.

    That is the mean squared error in units that do not depend on the teacher's scale: 1 for who
    always guesses the mean, 0 for who is right, and 0 where there is nothing that varies.

    Args:
        guessed: float32 [N, D], N ≥ 0.
        wanted: [N, D], without gradient.
    """
    spread = (wanted - wanted.mean(0)).square().sum()
    if not spread > 0.0:
        return guessed.sum() * 0.0
    return (guessed - wanted).square().sum() / spread
