"""Students as they are after some training: every weight and statistic its own."""

from collections.abc import Callable

import pytest
import torch

from tools.networks.shape import Shape
from tools.networks.student import Students

Made = Callable[[Shape], Students]


@pytest.fixture
def made() -> Made:
    """Students of a shape in evaluation mode, with random weights and running statistics."""

    def make(shape: Shape) -> Students:
        torch.manual_seed(0)
        students = Students(shape)
        for module in students.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.uniform_(module.bias, -0.5, 0.5)
                torch.nn.init.normal_(module.running_mean, 0.0, 0.3)
                torch.nn.init.uniform_(module.running_var, 0.05, 0.5)
        return students.eval()

    return make
