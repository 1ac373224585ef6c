"""The teacher as a model file: what the students' costs are compared with."""

import copy

import torch

from tools.export.lower import lower_network
from tools.networks.separable import ConvNorm
from tools.networks.teacher import Teacher


def lower_teacher(teacher: Teacher) -> bytes:
    """Return the float32 model of a teacher, batch normalisation folded.

    It stays float32: a teacher is not made for a board, and is compared as it is.
    """
    teacher = copy.deepcopy(teacher).cpu().to(memory_format=torch.contiguous_format).eval()
    for module in teacher.modules():
        if isinstance(module, ConvNorm):
            module.fold()
    inputs = {
        "image": torch.rand(1, *teacher.visual.size, 1),
        "audio": torch.rand(1, *teacher.audio.size, 1),
    }
    return lower_network(teacher, inputs)
