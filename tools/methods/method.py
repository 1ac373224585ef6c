"""What a training method is: it turns a batch, the teacher and the students into losses."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edge_daemon.tier import Tier
from tools.training.activations import TIER_OUTPUTS, Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import NOTHING

SMOOTHING = 0.05
"""Label smoothing of every method's cross-entropy, so that none has it to its advantage."""

PRETRAINING = 1 / 3
"""Share of the steps that a method with two phases spends before it turns to the labels."""

MODALITY = {"28": "visual", "14": "visual", "full": "audio", "prefix": "audio"}
"""The modality of each of the students' outputs."""

OTHER = {"visual": "audio", "audio": "visual"}
"""The modality that each is paired with."""


@dataclass(frozen=True)
class Widths:
    """Channels of what students and teacher show of themselves.

    Attributes:
        features: D of each of the students' outputs.
        stages: C of each output's stages.
        teacher_features: D of the teacher's branches, "visual" and "audio".
        teacher_stages: C of each branch's stages.
    """

    features: Mapping[str, int]
    stages: Mapping[str, tuple[int, ...]]
    teacher_features: Mapping[str, int]
    teacher_stages: Mapping[str, tuple[int, ...]]


def widths(taught: Taught, learnt: Learnt) -> Widths:
    """Return the widths of what was made of any batch."""
    teacher = {"visual": taught.visual, "audio": taught.audio}
    students = learnt.outputs
    return Widths(
        {name: made.features.shape[1] for name, made in students.items()},
        {name: tuple(stage.shape[1] for stage in made.stages) for name, made in students.items()},
        {name: made.features.shape[1] for name, made in teacher.items()},
        {name: tuple(stage.shape[1] for stage in made.stages) for name, made in teacher.items()},
    )


class Method(nn.Module, ABC):
    """A way of training the students.

    Its parameters, if it has any, are trained with theirs and thrown away afterwards.

    Attributes:
        name: what the method is called in commands, records and the table.
        calibrated: whether each output's `tau` is fitted before the logits are added; not so where
            the sum itself was trained.
    """

    name: str
    calibrated: bool

    @abstractmethod
    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the terms [] whose sum is descended, by the names under which they are logged.

        Args:
            batch: what was shown.
            taught: what the teacher makes of it, without gradient.
            learnt: what the students make of it.
            progress: share of the steps done, from 0 up to but not including 1.
            generator: the source of random numbers, if the method draws any.
        """


def tier_labels(batch: Batch, tier: Tier) -> Tensor:
    """Return the labels int64 [N] that a tier can know; `NOTHING` where it perceives nothing."""
    hears = any(MODALITY[output] == "audio" for output in TIER_OUTPUTS[tier])
    return batch.labels if hears else batch.seen


def tier_teaching(batch: Batch, taught: Taught, tier: Tier) -> Tensor:
    """Return the fused teacher's logits [N, labels], all 0 where a tier perceives nothing.

    Without this a black picture would be taught the digit that only the sound gives away.
    """
    nothing = tier_labels(batch, tier) == NOTHING
    return taught.fused.masked_fill(nothing[:, None], 0.0)
