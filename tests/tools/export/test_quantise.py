import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_daemon.inference.interpreter import Interpreter
from tools.export.lower import lower_network
from tools.export.quantise import quantise, widest


class Sum(nn.Module):
    """Adds up a picture: its answer is as large as its input is bright."""

    def forward(self, image: Tensor) -> Tensor:
        """Map [1, 4, 4, 1] to [1, 2]: the sum and its negative."""
        total = image.flatten(1) @ torch.ones(16, 2)
        return total * torch.tensor([1.0, -1.0])


def test_a_range_grows_and_never_shrinks() -> None:
    first = {"min": np.array([-1.0]), "max": np.array([2.0])}
    assert widest({}, first) == first
    grown = widest(first, {"min": np.array([-3.0]), "max": np.array([1.0])})
    assert (grown["min"], grown["max"]) == (-3.0, 2.0)


@pytest.mark.parametrize("bright_at", [0, 39])
def test_a_peak_in_one_sample_is_not_cut(bright_at: int) -> None:
    samples = [{"image": np.full((1, 4, 4, 1), 0.1, np.float32)} for _ in range(40)]
    samples[bright_at]["image"][:] = 1.0
    model = quantise(lower_network(Sum(), {"image": torch.rand(1, 4, 4, 1)}), samples)
    interpreter = Interpreter(model, threads=1, name="sum")
    logits = interpreter.run(samples[bright_at])["logits"][0]
    interpreter.close()
    np.testing.assert_allclose(logits, [16.0, -16.0], atol=32.0 / 255)
