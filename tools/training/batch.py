"""What one training step is given: pictures and sounds of the same labels."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from tools.training.losses import NOTHING


@dataclass(frozen=True)
class Batch:
    """N pairs.

    Attributes:
        images28: float32 [N, 28, 28, 1] in 0 to 1; all 0 where there is no picture.
        images14: float32 [N, 14, 14, 1], of the same pictures.
        sounds: float32 [N, columns, bands, 1] in 0 to 1; all 0 where there is no sound.
        seen: int64 [N], the picture's label; `NOTHING` where there is none.
        heard: int64 [N], the sound's label; `NOTHING` where nobody says anything.
    """

    images28: Tensor
    images14: Tensor
    sounds: Tensor
    seen: Tensor
    heard: Tensor

    @property
    def labels(self) -> Tensor:
        """int64 [N]: what is to be answered from both; `NOTHING` where there is neither."""
        return torch.where(self.seen != NOTHING, self.seen, self.heard)

    def wanted(self, output: str) -> Tensor:
        """Return the labels that one output of the students can know."""
        return self.seen if output in ("28", "14") else self.heard

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))

    def __len__(self) -> int:
        return len(self.seen)
