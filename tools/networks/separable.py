"""Depthwise-separable convolution blocks that convert without PAD or TRANSPOSE islands."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Gate = Callable[[], Tensor]
"""Returns the factors [C], in 0 to 1, by which a map's channels are multiplied now."""


class ConvNorm(nn.Module):
    """Convolution and batch normalisation, the pair that is folded into one before export.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: rows and columns of the kernel.
        stride: step along rows and columns.
        groups: as for `torch.nn.Conv2d`; `inputs` makes it depthwise.
        relu: whether a ReLU follows.

    Attributes:
        gate: None, or what the channels are multiplied by before the ReLU (tools/compression).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int] = (1, 1),
        stride: tuple[int, int] = (1, 1),
        groups: int = 1,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = relu
        self.gate: Gate | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, H', W'] without padding."""
        y = self.normalise(self.conv(x))
        return torch.relu(y) if self.relu else y

    def normalise(self, x: Tensor) -> Tensor:
        """Apply batch normalisation and gate; the gate costs nothing on top of the other."""
        if self.gate is None:
            return self.norm(x)
        factors = self.gate()
        gated = {"weight": self.norm.weight * factors, "bias": self.norm.bias * factors}
        return functional_call(self.norm, gated, (x,))

    def fold(self) -> None:
        """Put the running statistics into the convolution, which gets a bias: what is exported.

        Raises:
            ValueError: a gate is attached, which is no part of the weights yet.
        """
        if self.gate is not None:
            raise ValueError("a gated convolution cannot be folded: remove what is closed first")
        if not isinstance(self.norm, nn.Identity):
            self.conv = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval())
            self.conv.bias.requires_grad_(True)  # which the fusion forgets
            self.norm = nn.Identity()


class Join(nn.Module):
    """The end of a residual block; a module, so that its output's range can be observed."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the positive part of the sum of two maps [N, C, H, W]."""
        return torch.relu(x + y)


def pad_same(x: Tensor, stride: int) -> Tensor:
    """Pad [N, C, H, W] for a 3 × 3 kernel so that the converter folds it into SAME padding.

    TensorFlow's SAME puts the odd row after the picture: on an even size with stride 2 that is
    (0, 1), everywhere else (1, 1). A symmetric pad on an even size would stay a PAD operator.
    """
    if stride == 2 and x.shape[2] % 2 == 0:
        return F.pad(x, (0, 1, 0, 1))
    return F.pad(x, (1, 1, 1, 1))


class SeparableBlock(nn.Module):
    """3 × 3 depthwise, then pointwise convolution (MobileNet, Howard et al. 2017).

    The input is added to the output where both have one shape and `residual` allows it. A ReLU
    follows each half.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, residual: bool = True) -> None:
        super().__init__()
        self.stride = stride
        self.residual = residual and stride == 1 and inputs == outputs
        self.depthwise = ConvNorm(inputs, inputs, (3, 3), (stride, stride), inputs, relu=True)
        self.pointwise = ConvNorm(inputs, outputs, relu=not self.residual)
        self.join = Join()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, ceil(H / stride), ceil(W / stride)]."""
        y = self.pointwise(self.depthwise(pad_same(x, self.stride)))
        return self.join(x, y) if self.residual else y


class CausalBlock(nn.Module):
    """Depthwise convolution over the past, then pointwise, along time only.

    Output column j sees the input columns up to `j * stride` and none after it: a prefix of the
    input gives the prefix of the output. (TC-ResNet, Choi et al. 2019, made causal and separable.)
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.past = kernel - 1
        self.residual = stride == 1 and inputs == outputs
        self.depthwise = ConvNorm(inputs, inputs, (kernel, 1), (stride, 1), inputs, relu=True)
        self.pointwise = ConvNorm(inputs, outputs, relu=not self.residual)
        self.join = Join()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, T, 1] to [N, outputs, ceil(T / stride), 1]."""
        y = self.pointwise(self.depthwise(F.pad(x, (0, 0, self.past, 0))))
        return self.join(x, y) if self.residual else y
