"""The teacher: one strong branch a modality, and the product of their opinions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tools.networks.separable import ConvNorm, pad_same
from tools.training.activations import Activations


class Residual(nn.Module):
    """Two 3 × 3 convolutions whose result is added to their input (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, (3, 3))
        self.second = ConvNorm(channels, channels, (3, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, H, W] to the same shape."""
        y = torch.relu(self.first(pad_same(x, 1)))
        return torch.relu(x + self.second(pad_same(y, 1)))


class Narrowing(nn.Module):
    """A 3 × 3 convolution with stride 2 that halves rows and columns."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvNorm(inputs, outputs, (3, 3), (2, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, ceil(H / 2), ceil(W / 2)]."""
        rows, columns = (1 - size % 2 for size in x.shape[2:])
        return torch.relu(self.conv(F.pad(x, (1 - columns, 1, 1 - rows, 1))))


class TeacherBranch(nn.Module):
    """A residual network over a picture or a spectrogram.

    Args:
        size: rows and columns of the input.
        channels: of the stem and after each halving.
        blocks: residual blocks after each halving.
        pooling: rows and columns of the kernel that averages the last map before the head.
        stride: its step.
        dropout: share of the features that are dropped in training.
        labels: number of classes.
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: Sequence[int],
        blocks: Sequence[int],
        pooling: tuple[int, int],
        stride: tuple[int, int],
        dropout: float,
        labels: int,
    ) -> None:
        super().__init__()
        self.size = size
        self.stem = ConvNorm(1, channels[0], (3, 3))
        self.levels = nn.ModuleList(
            nn.Sequential(Narrowing(before, after), *(Residual(after) for _ in range(count)))
            for before, after, count in zip(channels, channels[1:], blocks, strict=False)
        )
        self.pool = nn.AvgPool2d(pooling, stride)
        self.dropout = nn.Dropout(dropout)
        rows, columns = (-(-length // 2 ** len(blocks)) for length in size)
        places = [
            (length - kernel) // step + 1
            for length, kernel, step in zip((rows, columns), pooling, stride, strict=True)
        ]
        self.head = nn.Linear(channels[-1] * places[0] * places[1], labels)

    def maps(self, inputs: Tensor) -> list[Tensor]:
        """Map float32 [N, rows, columns, 1] to the maps of stem and levels, each halved."""
        x = torch.relu(self.stem(pad_same(inputs.permute(0, 3, 1, 2), 1)))
        maps = [x]
        for level in self.levels:
            maps.append(level(maps[-1]))
        return maps

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 [N, rows, columns, 1] in 0 to 1 to logits [N, labels]."""
        return self.head(self.dropout(self.pool(self.maps(inputs)[-1]).flatten(1)))

    def activations(self, inputs: Tensor, cells: tuple[int, int]) -> Activations:
        """Return logits, features and stages, each stage averaged over `cells` places."""
        maps = self.maps(inputs)
        features = self.pool(maps[-1]).flatten(1)
        stages = tuple(F.adaptive_avg_pool2d(some, cells).flatten(2) for some in maps)
        return Activations(self.head(self.dropout(features)), features, stages)


class Teacher(nn.Module):
    """Both branches with the softmax `tau` that calibrates each (Guo et al. 2017).

    Picture and sound are independent given the label, so that the product of the calibrated
    posteriors is the best fusion there is (Hinton 2002, "products of experts").

    Args:
        columns: of the spectrogram.
        bands: of the spectrogram.
        labels: number of classes.
    """

    def __init__(self, columns: int = 64, bands: int = 40, labels: int = 10) -> None:
        super().__init__()
        self.visual = TeacherBranch(
            (28, 28),
            (24, 32, 64),
            (1, 1),
            pooling=(3, 3),
            stride=(2, 2),
            dropout=0.3,
            labels=labels,
        )
        self.audio = TeacherBranch(
            (columns, bands),
            (16, 32, 48, 80),
            (0, 1, 1),
            pooling=(4, 1),
            stride=(4, 1),
            dropout=0.4,
            labels=labels,
        )
        self.register_buffer("tau_visual", torch.ones(()))
        self.register_buffer("tau_audio", torch.ones(()))

    def forward(self, image: Tensor, audio: Tensor) -> Tensor:
        """Map [N, 28, 28, 1] and [N, columns, bands, 1] to logits [N, labels]."""
        return self.visual(image) / self.tau_visual + self.audio(audio) / self.tau_audio
