"""The teacher as a model file: what the students' costs are compared with."""

import copy
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tools.export.quiet import quiet
from tools.networks.separable import ConvNorm
from tools.networks.teacher import Teacher


class Named(nn.Module):
    """A teacher whose output is called `logits`; its arguments name the inputs."""

    def __init__(self, teacher: Teacher) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, image: Tensor, audio: Tensor) -> dict[str, Tensor]:
        """Map one window's tensors to {"logits": [1, labels]}."""
        return {"logits": self.teacher(image, audio)}


def lower_teacher(teacher: Teacher) -> bytes:
    """Return the float32 model of a teacher, batch normalisation folded.

    It stays float32: a teacher is not made for a board, and is compared as it is.
    """
    teacher = copy.deepcopy(teacher).cpu().to(memory_format=torch.contiguous_format).eval()
    for module in teacher.modules():
        if isinstance(module, ConvNorm):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    rows, columns = teacher.audio.size
    example = {
        "image": torch.rand(1, *teacher.visual.size, 1),
        "audio": torch.rand(1, rows, columns, 1),
    }
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        import litert_torch  # takes seconds, and JAX with it

        edge_model = litert_torch.convert(Named(teacher).eval(), sample_kwargs=example)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "teacher.tflite"
            edge_model.export(str(path))
            return path.read_bytes()
