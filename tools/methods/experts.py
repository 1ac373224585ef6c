"""The product-of-experts baseline: every branch by itself, added when all is done."""

import torch
from torch import Tensor

from tools.methods.method import SMOOTHING, Method
from tools.training.activations import Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import cross_entropy


class Experts(Method):
    """Trains every output on the labels as if there were no other; `tau` is fitted afterwards.

    Picture and sound are independent given the label, so the sum of the calibrated log-posteriors
    is the best fusion there is (Hinton 2002, "Training products of experts"): the simple baseline
    that anything cross-modal has to beat.
    """

    name = "experts"
    calibrated = True

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the one term `task`, summed over the outputs."""
        terms = [
            cross_entropy(made.logits, batch.wanted(name), SMOOTHING)
            for name, made in learnt.outputs.items()
        ]
        return {"task": torch.stack(terms).sum()}
