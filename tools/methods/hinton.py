"""The classic baseline: the teacher's softened answer beside the labels."""

import torch
from torch import Tensor

from edge_daemon.tier import TIERS
from tools.methods.divergence import softened_divergence
from tools.methods.labels import tier_cross_entropy
from tools.methods.method import Method, tier_teaching
from tools.training.activations import Learnt, Taught
from tools.training.batch import Batch


class Hinton(Method):
    """Trains every tier on (1 − share) · labels + share · the fused teacher's softened answer.

    Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network".

    Args:
        share: weight of the teacher, in 0 to 1.
        tau: softmax `tau` of both answers.
    """

    name = "hinton"
    calibrated = False

    def __init__(self, share: float = 0.7, tau: float = 2.0) -> None:
        super().__init__()
        self.share = share
        self.tau = tau

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the terms `task` and `distill`, each summed over the tiers."""
        task = tier_cross_entropy(batch, learnt)
        distill = tier_divergence(batch, taught, learnt, self.tau)
        return {"task": (1.0 - self.share) * task, "distill": self.share * distill}


def tier_divergence(batch: Batch, taught: Taught, learnt: Learnt, tau: float) -> Tensor:
    """Return tau² · KL(fused teacher ‖ tier) [], summed over the tiers."""
    terms = [
        softened_divergence(learnt.tier(tier), tier_teaching(batch, taught, tier), tau)
        for tier in TIERS
    ]
    return torch.stack(terms).sum()
