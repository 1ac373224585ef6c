"""The visual branch: a depthwise-separable CNN on one grey picture."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from tools.networks.separable import ConvNorm, SeparableBlock, pad_same


class VisualBranch(nn.Module):
    """Digit logits from a picture.

    A 3 × 3 stem, then one separable block for every further entry of `channels`. Instead of an
    average, a depthwise kernel as large as the last map weighs each place by itself (the "global
    depthwise convolution" of MobileFaceNet, Chen et al. 2018): where a stroke lies tells digits
    apart.

    Args:
        size: rows and columns of the picture.
        channels: channels of the stem and of every block.
        strides: step of every block, one fewer than `channels`.
        labels: number of classes.
    """

    def __init__(
        self, size: int, channels: Sequence[int], strides: Sequence[int], labels: int = 10
    ) -> None:
        super().__init__()
        self.size = size
        self.stem = ConvNorm(1, channels[0], (3, 3))
        self.blocks = nn.Sequential(
            *(
                SeparableBlock(inputs, outputs, stride)
                for (inputs, outputs), stride in zip(pairwise(channels), strides, strict=True)
            )
        )
        rest = size
        for stride in strides:
            rest = -(-rest // stride)
        self.gather = ConvNorm(channels[-1], channels[-1], (rest, rest), groups=channels[-1])
        self.head = nn.Linear(channels[-1], labels)

    def forward(self, image: Tensor) -> Tensor:
        """Map float32 [N, size, size, 1] in 0 to 1 to logits [N, labels]."""
        x = torch.relu(self.stem(pad_same(image.permute(0, 3, 1, 2), 1)))
        x = self.gather(self.blocks(x))
        return self.head(x.flatten(1))


def visual_28(labels: int = 10) -> VisualBranch:
    """Return the branch of `high`, `medium` and `low`: 28 × 28 pixels."""
    return VisualBranch(28, (16, 32, 48, 64, 64), (2, 1, 2, 1), labels)


def visual_14(labels: int = 10) -> VisualBranch:
    """Return the branch of `critical`: 14 × 14 pixels."""
    return VisualBranch(14, (16, 32, 48, 64), (1, 2, 1), labels)
