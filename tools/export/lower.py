"""Lowering: a torch network becomes a float model file with a named signature."""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from tools.export.quiet import quiet
from tools.networks.fold import folded
from tools.networks.student import Student


class Named(nn.Module):
    """A network whose output is called `logits`; the names of its arguments name the inputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Map one window's tensors to {"logits": [1, labels]}."""
        return {"logits": self.network(**inputs)}


def example_inputs(student: Student) -> dict[str, Tensor]:
    """Return float32 NHWC tensors of the shapes that a student takes, N = 1."""
    size = student.visual.size
    inputs = {"image": torch.rand(1, size, size, 1)}
    if student.audio is not None:
        inputs["audio"] = torch.rand(1, student.columns, student.audio.bands, 1)
    return inputs


def lower(student: Student) -> bytes:
    """Return the float32 model of a student, batch normalisation folded."""
    return lower_network(folded(student), example_inputs(student))


def lower_network(network: nn.Module, inputs: Mapping[str, Tensor]) -> bytes:
    """Return the float32 model of any network that maps one window to logits.

    Args:
        network: as it is to run, batch normalisation and softmax temperatures folded.
        inputs: example tensors with N = 1, by the names of the network's arguments.
    """
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        import litert_torch  # takes seconds, and JAX with it

        edge_model = litert_torch.convert(Named(network).eval(), sample_kwargs=dict(inputs))
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "float.tflite"
            edge_model.export(str(path))
            return path.read_bytes()
