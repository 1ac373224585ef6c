"""What teacher and students make of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from edge_daemon.tier import Tier

CELLS = 4
"""Places of a stage that are kept apart: 2 × 2 of a picture, 4 along the time of a sound."""

TIER_OUTPUTS: dict[Tier, tuple[str, ...]] = {
    Tier.HIGH: ("28", "full"),
    Tier.MEDIUM: ("28", "prefix"),
    Tier.LOW: ("28",),
    Tier.CRITICAL: ("14",),
}
"""The outputs of the students whose sum is a tier's answer."""


@dataclass(frozen=True)
class Activations:
    """What one branch makes of its input.

    Attributes:
        logits: float32 [N, labels].
        features: float32 [N, D], what the head sees.
        stages: float32 [N, C, `CELLS`] each, the maps between stem and head, pooled.
    """

    logits: Tensor
    features: Tensor
    stages: tuple[Tensor, ...]


@dataclass(frozen=True)
class Taught:
    """What the teacher says; nothing of it has a gradient.

    Attributes:
        visual: of the picture, logits calibrated; where there is no picture, logits 0.
        audio: of the sound, likewise.
    """

    visual: Activations
    audio: Activations

    @property
    def fused(self) -> Tensor:
        """The product of both experts: logits [N, labels]."""
        return self.visual.logits + self.audio.logits

    def same(self, output: str) -> Activations:
        """Return what the teacher's branch of the same modality says about a student's output."""
        return self.visual if output in ("28", "14") else self.audio

    def other(self, output: str) -> Activations:
        """Return what the branch of the other modality says."""
        return self.audio if output in ("28", "14") else self.visual


@dataclass(frozen=True)
class Learnt:
    """What the students say.

    Attributes:
        outputs: of each of `OUTPUTS`: "28", "14", "full", "prefix".
    """

    outputs: Mapping[str, Activations]

    def tier(self, tier: Tier) -> Tensor:
        """Return a tier's logits [N, labels]."""
        first, *rest = (self.outputs[name].logits for name in TIER_OUTPUTS[tier])
        return sum(rest, first)
