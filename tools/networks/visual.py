"""The visual branch: a depthwise-separable CNN on one grey picture."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from tools.networks.separable import ConvNorm, SeparableBlock, pad_same
from tools.networks.shape import Shape
from tools.networks.stages import places, stage_widths, stages
from tools.training.activations import Activations


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
        residuals: which blocks may add their input; None for all whose shape allows it. A branch
            that is to lose channels has to say it: two widths can become equal by chance.

    Attributes:
        stage_widths: channels of the maps that `activations` returns.
    """

    def __init__(
        self,
        size: int,
        channels: Sequence[int],
        strides: Sequence[int],
        labels: int = 10,
        residuals: Sequence[bool] | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.stage_widths = stage_widths(channels, strides)
        self.stem = ConvNorm(1, channels[0], (3, 3), relu=True)
        self.blocks = nn.Sequential(
            *(
                SeparableBlock(inputs, outputs, stride, residual)
                for (inputs, outputs), stride, residual in zip(
                    pairwise(channels), strides, residuals or [True] * len(strides), strict=True
                )
            )
        )
        rest = size
        for stride in strides:
            rest = -(-rest // stride)
        self.gather = ConvNorm(channels[-1], channels[-1], (rest, rest), groups=channels[-1])
        self.head = nn.Linear(channels[-1], labels)

    def forward(self, image: Tensor) -> Tensor:
        """Map float32 [N, size, size, 1] in 0 to 1 to logits [N, labels]."""
        return self.head(self.gather(self.blocks(self.first_map(image))).flatten(1))

    def first_map(self, image: Tensor) -> Tensor:
        """Map [N, size, size, 1] to the stem's features [N, channels, size, size]."""
        return self.stem(pad_same(image.permute(0, 3, 1, 2), 1))

    def activations(self, image: Tensor) -> Activations:
        """Return what `forward` computes on its way, each stage's places being 2 × 2 quarters."""
        first = self.first_map(image)
        maps = stages(first, self.blocks)
        features = self.gather(maps[-1]).flatten(1)
        return Activations(
            self.head(features), features, tuple(places(some, (2, 2)) for some in maps)
        )


STRIDES_28, RESIDUALS_28 = (2, 1, 2, 1), (False, False, False, True)
STRIDES_14, RESIDUALS_14 = (1, 2, 1), (False, False, False)


def visual_28(labels: int = 10, channels: Sequence[int] = Shape.visual_28) -> VisualBranch:
    """Return the branch of `high`, `medium` and `low`: 28 × 28 pixels, the last block residual."""
    return VisualBranch(28, channels, STRIDES_28, labels, RESIDUALS_28)


def visual_14(labels: int = 10, channels: Sequence[int] = Shape.visual_14) -> VisualBranch:
    """Return the branch of `critical`: 14 × 14 pixels, no block residual."""
    return VisualBranch(14, channels, STRIDES_14, labels, RESIDUALS_14)
