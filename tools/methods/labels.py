"""The TinyML baseline: labels only."""

import torch
from torch import Tensor

from edge_daemon.tier import TIERS
from tools.methods.method import SMOOTHING, Method, tier_labels
from tools.training.activations import Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import cross_entropy


class Labels(Method):
    """Trains every tier's summed logits on the labels; int8 comes after training.

    This is how models for microcontrollers are usually made (Warden and Situnayake 2019,
    "TinyML"): a small network, labels, post-training quantisation.
    """

    name = "labels"
    calibrated = False

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the one term `task`."""
        return {"task": tier_cross_entropy(batch, learnt)}


def tier_cross_entropy(batch: Batch, learnt: Learnt) -> Tensor:
    """Return the cross-entropy [] of each tier's logits, summed over the tiers."""
    terms = [
        cross_entropy(learnt.tier(tier), tier_labels(batch, tier), SMOOTHING) for tier in TIERS
    ]
    return torch.stack(terms).sum()
