"""The sensor branch: dense layers on a window's components, and a tier that has it."""

import copy
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from tools.networks.fold import calibrate_head, folded
from tools.networks.student import Student


class SensorBranch(nn.Module):
    """Logits from movement.

    Args:
        components: numbers of a window, as `SensorSpec.components`.
        hidden: width of every hidden layer.
        labels: number of classes.
    """

    def __init__(self, components: int, hidden: Sequence[int] = (24,), labels: int = 10) -> None:
        super().__init__()
        self.components = components
        widths = (components, *hidden)
        self.hidden = nn.ModuleList(
            nn.Linear(inputs, outputs) for inputs, outputs in pairwise(widths)
        )
        self.head = nn.Linear(widths[-1], labels)

    def forward(self, sensor: Tensor) -> Tensor:
        """Map float32 [N, components] in 0 to 1 to logits [N, labels]."""
        for layer in self.hidden:
            sensor = torch.relu(layer(sensor))
        return self.head(sensor)


class SensingStudent(nn.Module):
    """A tier with a sensor: one more expert in the product, so its calibrated logits are added.

    Args:
        sensor: the sensor branch.
        tau: its softmax temperature, [].
        student: the tier that sees and hears; None where there is a sensor alone.
    """

    def __init__(self, sensor: SensorBranch, tau: Tensor, student: Student | None = None) -> None:
        super().__init__()
        self.sensor = sensor
        self.student = student
        self.tau = tau

    def forward(
        self, sensor: Tensor, image: Tensor | None = None, audio: Tensor | None = None
    ) -> Tensor:
        """Map [N, components] and what the student takes to logits [N, labels]."""
        logits = self.sensor(sensor) / self.tau
        if self.student is None or image is None:
            return logits
        return logits + self.student(image, audio)

    def folded(self) -> "SensingStudent":
        """Return a copy for export, whose logits are the same up to a constant; see `folded`."""
        sensor = copy.deepcopy(self.sensor).eval()
        calibrate_head(sensor.head, self.tau)
        student = None if self.student is None else folded(self.student)
        return SensingStudent(sensor, torch.ones(()), student).eval()
