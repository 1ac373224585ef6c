"""The audio branch: a causal convolutional network along time, whose prefix is the partial one."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from tools.networks.separable import CausalBlock, ConvNorm, Gate
from tools.networks.shape import Shape
from tools.networks.stages import places, stage_widths, stages
from tools.training.activations import CELLS, Activations

COLUMNS = 64
"""Columns of a whole spectrogram."""
PREFIX = 40
"""Columns of the partial one."""
STRIDES = (1, 2, 1, 2, 1)
KERNEL = 7
STEM_KERNEL = 3
"""Columns that the first kernel spans."""


class AudioBranch(nn.Module):
    """Digit logits from a log-mel spectrogram, for the whole of it and for a prefix.

    The mel bands are the channels of the first layer, so every kernel runs along time only. All
    padding lies in the past: the maps of the first `prefix` columns are the same whether the
    later columns are there or not, and the two heads share every weight but their own.

    Args:
        bands: mel bands.
        columns: columns of the whole spectrogram.
        prefix: columns of the partial one.
        channels: channels of the stem and of every block.
        strides: step of every block, one fewer than `channels`.
        kernel: columns that a block's kernel spans.
        labels: number of classes.

    Attributes:
        stage_widths: channels of the maps that `activations` returns.
        band_gate: None, or what each band is multiplied by (tools/compression).
    """

    def __init__(
        self,
        bands: int = 40,
        columns: int = COLUMNS,
        prefix: int = PREFIX,
        channels: Sequence[int] = Shape.audio,
        strides: Sequence[int] = STRIDES,
        kernel: int = KERNEL,
        labels: int = 10,
    ) -> None:
        super().__init__()
        self.bands = bands
        self.columns = columns
        self.prefix = prefix
        self.stage_widths = stage_widths(channels, strides)
        self.stem = ConvNorm(bands, channels[0], (STEM_KERNEL, 1), relu=True)
        self.blocks = nn.Sequential(
            *(
                CausalBlock(inputs, outputs, kernel, stride)
                for (inputs, outputs), stride in zip(pairwise(channels), strides, strict=True)
            )
        )
        self.band_gate: Gate | None = None
        self.step = 1
        for stride in strides:
            self.step *= stride
        self.head = nn.Linear(channels[-1], labels)
        self.prefix_head = nn.Linear(channels[-1], labels)

    def maps(self, audio: Tensor) -> Tensor:
        """Map float32 [N, T, bands, 1] in 0 to 1 to features [N, channels, ceil(T / step), 1]."""
        return self.blocks(self.first_map(audio))

    def first_map(self, audio: Tensor) -> Tensor:
        """Map [N, T, bands, 1] to the stem's features [N, channels, T, 1]."""
        x = audio.permute(0, 1, 3, 2).permute(0, 3, 1, 2)  # bands become channels
        if self.band_gate is not None:
            x = x * self.band_gate()[:, None, None]
        return self.stem(F.pad(x, (0, 0, STEM_KERNEL - 1, 0)))

    def forward(self, audio: Tensor) -> Tensor:
        """Map the whole spectrogram [N, columns, bands, 1] to logits [N, labels]."""
        return self.head(pool(self.maps(audio)))

    def partial(self, audio: Tensor) -> Tensor:
        """Map the first columns [N, prefix, bands, 1] to logits [N, labels]."""
        return self.prefix_head(pool(self.maps(audio)))

    def both(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return `forward` of the whole and `partial` of its prefix from one pass."""
        maps = self.maps(audio)
        return self.head(pool(maps)), self.prefix_head(pool(self.start(maps, self.step)))

    def start(self, maps: Tensor, step: int) -> Tensor:
        """Cut what the prefix leads to from [N, C, T, 1], a column of which is `step` of sound."""
        return maps[:, :, : -(-self.prefix // step)]

    def activations(self, audio: Tensor) -> tuple[Activations, Activations]:
        """Return what `both` computes on its way: of the whole [N, columns, bands, 1], of a prefix.

        A stage's places are `CELLS` spans of time; the prefix's are quarters of the prefix.
        """
        whole = stages(self.first_map(audio), self.blocks)
        prefix = [self.start(maps, -(-self.columns // maps.shape[2])) for maps in whole]
        return headed(self.head, whole), headed(self.prefix_head, prefix)


def headed(head: nn.Linear, maps: list[Tensor]) -> Activations:
    """Return what a head says about the last of the maps [N, C, T, 1], and the stages."""
    features = pool(maps[-1])
    return Activations(head(features), features, tuple(places(some, (CELLS, 1)) for some in maps))


def pool(maps: Tensor) -> Tensor:
    """Average [N, C, H, W] over both axes to [N, C]; this spelling needs no TRANSPOSE."""
    return maps.mean((2, 3), keepdim=True).flatten(1)
