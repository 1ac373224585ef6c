"""Fine-tuning with what int8 does to weights and activations in the way (Jacob et al. 2018).

Batch normalisation is folded first, so that what is rounded here is what tools/export rounds:
weights to int8, symmetric, one scale an output channel; every activation to int8 with one scale,
its range the moving average of each batch's smallest and largest value. The gradient passes
through the rounding, but not where a value is outside the range (Bengio et al. 2013).

Not rounded here: inputs, which are 8-bit numbers already; biases, which have 32 bits in the file;
a tier's sum of logits.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tools.networks.fold import centred, folded_students
from tools.networks.separable import ConvNorm, Join
from tools.networks.student import Students
from tools.training.distributed import outermost

MOMENTUM = 0.05
"""How much of a range the newest batch makes."""


def fake_quantised(students: Students) -> Students:
    """Return folded students that round as their files will, to be trained on like any others.

    They share nothing with the given ones. Before its first training batch a range is unknown,
    and its activation is not rounded.
    """
    network = copy.deepcopy(folded_students(students))
    for branch in (network.visual_28, network.visual_14, network.audio):
        branch.stem = RoundedConv(branch.stem)
        for block in branch.blocks:
            block.depthwise = RoundedConv(block.depthwise)
            block.pointwise = RoundedConv(block.pointwise)
            block.join = RoundedJoin(block.join)
    for visual in (network.visual_28, network.visual_14):
        visual.gather = RoundedConv(visual.gather)
        visual.head = RoundedHead(visual.head)
    network.audio.head = RoundedHead(network.audio.head)
    network.audio.prefix_head = RoundedHead(network.audio.prefix_head)
    return network.train(students.training)


def unwrap(network: Students) -> Students:
    """Return the plain folded students that `fake_quantised` ones have become, to be exported."""
    students = Students(network.shape)
    students.load_state_dict(
        {name: value for name, value in network.state_dict().items() if not is_range(name)}
    )
    return students.eval()


def is_range(name: str) -> bool:
    """Whether an entry of a checkpoint belongs to a `Range`."""
    return name.rpartition(".")[0].endswith("range")


class Range(nn.Module):
    """The range of an activation, and rounding to the 256 values in it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, …] rounded; while training, look at its range first."""
        if self.training:
            self.observe(x.detach())
        if self.high == self.low:
            return x
        scale = (self.high - self.low) / 255.0
        zero = torch.round(-128.0 - self.low / scale).int()
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, -128, 127)

    def observe(self, x: Tensor) -> None:
        """Move the range, which always has 0 in it, towards the batch's."""
        low, high = outermost(*x.aminmax())
        low, high = low.clamp(max=0.0), high.clamp(min=0.0)
        share = 1.0 if self.high == self.low else MOMENTUM
        self.low.lerp_(low, share)
        self.high.lerp_(high, share)


def rounded_weights(weights: Tensor) -> Tensor:
    """Round weights [outputs, …] to 255 values, those of each output as far as its largest."""
    largest = weights.detach().abs().flatten(1).amax(1)
    scale = largest.clamp(min=1e-12) / 127.0
    zero = torch.zeros_like(scale, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weights, scale, zero, 0, -127, 127)


class RoundedConv(nn.Module):
    """A folded `ConvNorm` with rounded weights and output."""

    def __init__(self, folded: ConvNorm) -> None:
        super().__init__()
        self.conv = folded.conv
        self.relu = folded.relu
        self.range = Range()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, H', W']."""
        conv = self.conv
        weights = rounded_weights(conv.weight)
        y = F.conv2d(x, weights, conv.bias, conv.stride, groups=conv.groups)
        return self.range(torch.relu(y) if self.relu else y)


class RoundedJoin(nn.Module):
    """The end of a residual block with a rounded output."""

    def __init__(self, join: Join) -> None:
        super().__init__()
        self.join = join
        self.range = Range()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the rounded positive part of the sum of two maps [N, C, H, W]."""
        return self.range(self.join(x, y))


class RoundedHead(nn.Linear):
    """A head with rounded features, weights and logits, centred as its export is."""

    def __init__(self, head: nn.Linear) -> None:
        super().__init__(head.in_features, head.out_features)
        self.load_state_dict(head.state_dict())
        self.feature_range = Range()
        self.range = Range()

    def forward(self, features: Tensor) -> Tensor:
        """Map [N, features] to logits [N, labels]."""
        weights = rounded_weights(centred(self.weight))
        features = self.feature_range(features)
        return self.range(F.linear(features, weights, centred(self.bias)))
