"""Lowering: a torch network becomes a float model file with a named signature."""

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from tools.export.quiet import quiet
from tools.networks.fold import folded
from tools.networks.student import Student


class Named(nn.Module):
    """A student whose output is called `logits`; its arguments name the inputs."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, image: Tensor, audio: Tensor | None = None) -> dict[str, Tensor]:
        """Map one window's tensors to {"logits": [1, labels]}."""
        return {"logits": self.student(image, audio)}


def example_inputs(student: Student) -> dict[str, Tensor]:
    """Return float32 NHWC tensors of the shapes that a student takes, N = 1."""
    size = student.visual.size
    inputs = {"image": torch.rand(1, size, size, 1)}
    if student.audio is not None:
        inputs["audio"] = torch.rand(1, student.columns, student.audio.bands, 1)
    return inputs


def lower(student: Student) -> bytes:
    """Return the float32 model of a student, batch normalisation folded."""
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        import litert_torch  # takes seconds, and JAX with it

        module = Named(folded(student)).eval()
        edge_model = litert_torch.convert(module, sample_kwargs=example_inputs(student))
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "float.tflite"
            edge_model.export(str(path))
            return path.read_bytes()
