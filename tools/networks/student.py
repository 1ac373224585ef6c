"""A tier's network: the branches it uses, and the product of their opinions."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from edge_daemon.tier import Tier
from tools.networks.audio import AudioBranch
from tools.networks.separable import ConvNorm
from tools.networks.shape import Shape
from tools.networks.visual import VisualBranch, visual_14, visual_28
from tools.training.activations import Learnt
from tools.training.batch import Batch


class Students(nn.Module):
    """The three branches from which all four tiers are cut, with a softmax `tau` for each output.

    Picture and sound are independent given the digit, so the best fusion is the product of
    calibrated posteriors: the sum of log-posteriors (Hinton 2002, "products of experts").
    Dividing by `tau` is what calibrates (Guo et al. 2017).

    Args:
        shape: how wide the branches are. The audio branch takes the shape's bands alone, as the
            daemon computes no others.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        first, last = shape.bands
        self.visual_28 = visual_28(shape.labels, shape.visual_28)
        self.visual_14 = visual_14(shape.labels, shape.visual_14)
        self.audio = AudioBranch(last - first, channels=shape.audio, labels=shape.labels)
        for name in OUTPUTS:
            self.register_buffer(f"tau_{name}", torch.ones(()))
        if shape.folded:
            for module in self.modules():
                if isinstance(module, ConvNorm):
                    module.fold()
        self.train()
        self.to(memory_format=torch.channels_last)  # faster on a CPU

    def tau(self, name: str) -> Tensor:
        """Return the softmax temperature [] of one of `OUTPUTS`."""
        return self.get_buffer(f"tau_{name}")

    def learn(self, batch: Batch) -> Learnt:
        """Return what all outputs say about a batch whose sounds have the shape's bands."""
        full, prefix = self.audio.activations(batch.sounds)
        said = {
            "28": self.visual_28.activations(batch.images28),
            "14": self.visual_14.activations(batch.images14),
            "full": full,
            "prefix": prefix,
        }
        return Learnt(
            {
                name: replace(some, logits=some.logits / self.tau(name))
                for name, some in said.items()
            }
        )

    def tier(self, tier: Tier) -> "Student":
        """Return one tier's network; it shares the branches with this object."""
        match tier:
            case Tier.HIGH:
                return Student(self.visual_28, self.audio, False, self.tau_28, self.tau_full)
            case Tier.MEDIUM:
                return Student(self.visual_28, self.audio, True, self.tau_28, self.tau_prefix)
            case Tier.LOW:
                return Student(self.visual_28, None, False, self.tau_28, None)
            case Tier.CRITICAL:
                return Student(self.visual_14, None, False, self.tau_14, None)


OUTPUTS = ("28", "14", "full", "prefix")
"""The calibrated outputs: two sizes of picture, the whole and the partial sound."""


class Student(nn.Module):
    """One tier. Its inputs are laid out as in the model file and the daemon: NHWC.

    Args:
        visual: the visual branch.
        audio: the audio branch; None in a visual tier.
        partial: whether only the first columns are heard.
        tau_visual: softmax temperature of the visual logits, [].
        tau_audio: that of the audio logits.
    """

    def __init__(
        self,
        visual: VisualBranch,
        audio: AudioBranch | None,
        partial: bool,
        tau_visual: Tensor,
        tau_audio: Tensor | None,
    ) -> None:
        super().__init__()
        self.visual = visual
        self.audio = audio
        self.partial = partial
        self.tau_visual = tau_visual
        self.tau_audio = tau_audio

    @property
    def columns(self) -> int:
        """Columns of the audio input; 0 in a visual tier."""
        if self.audio is None:
            return 0
        return self.audio.prefix if self.partial else self.audio.columns

    def forward(self, image: Tensor, audio: Tensor | None = None) -> Tensor:
        """Map [N, H, W, 1] and [N, columns, bands, 1] to logits [N, labels]."""
        logits = self.visual(image) / self.tau_visual
        if self.audio is None or audio is None:
            return logits
        heard = self.audio.partial(audio) if self.partial else self.audio(audio)
        return logits + heard / self.tau_audio
