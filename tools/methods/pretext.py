"""The self-supervised baseline: which picture belongs to which sound, before any label."""

import torch
from torch import Tensor, nn

from tools.alignment.contrast import instance_contrast
from tools.methods.labels import tier_cross_entropy
from tools.methods.method import PRETRAINING, Method, Widths
from tools.training.activations import Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import NOTHING

PAIRS = (("28", "full"), ("28", "prefix"), ("14", "full"))
"""The outputs that are contrasted, picture first."""


class Pretext(Method):
    """First matches pictures with sounds, then trains on the labels.

    The symmetric InfoNCE of CLIP (Radford et al. 2021) on the students' own features, each
    through a linear head that is thrown away. No label is used in that phase; pairs of which one
    half is missing are left out.

    Args:
        widths: of the students.
        size: dimensions in which both meet.
        tau: what the cosines are divided by.
    """

    name = "pretext"
    calibrated = False

    def __init__(self, widths: Widths, size: int = 32, tau: float = 0.1) -> None:
        super().__init__()
        self.tau = tau
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, size) for name, width in widths.features.items()}
        )

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the term `contrast`, summed over `PAIRS`, and later `task` in its place."""
        if progress >= PRETRAINING:
            return {"task": tier_cross_entropy(batch, learnt)}
        paired = (batch.seen != NOTHING) & (batch.heard != NOTHING)
        z = {name: self.heads[name](made.features)[paired] for name, made in learnt.outputs.items()}
        terms = [symmetric_contrast(z[seen], z[heard], self.tau) for seen, heard in PAIRS]
        return {"contrast": torch.stack(terms).sum()}


def symmetric_contrast(first: Tensor, second: Tensor, tau: float) -> Tensor:
    """Return the mean [] of telling rows of [N, k] by their partner in both directions."""
    return (instance_contrast(first, second, tau) + instance_contrast(second, first, tau)) / 2.0
