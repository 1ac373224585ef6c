"""Contrasts: how near projected features are to where they belong, and how far from elsewhere.

Only directions count: every function normalises its vectors. Each is a mean over the rows, and 0
with a zero gradient where there are none.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def prototype_contrast(z: Tensor, labels: Tensor, prototypes: Tensor, tau: float) -> Tensor:
    """Return the contrast [] of features with the prototypes of all classes.

    The cross-entropy of the cosines over `tau` (ProtoNCE with one prototype a class, Li et al.
    2021, supervised as in Khosla et al. 2020): no two samples of a class are pushed apart.

    Args:
        z: projected features, float32 [N, k].
        labels: int64 [N], 0 or more each.
        prototypes: unit vectors, [labels, k].
        tau: what the cosines are divided by, > 0.
    """
    if not len(z):
        return z.sum()
    return F.cross_entropy(F.normalize(z, dim=1) @ prototypes.T / tau, labels)


def instance_contrast(z_student: Tensor, z_teacher: Tensor, tau: float) -> Tensor:
    """Return the InfoNCE [] that tells each sample's own teacher feature from all the others.

    Oord, Li and Vinyals 2018. Where pairs share only a label, the other samples of the class are
    false negatives: it pushes apart what belongs together.

    Args:
        z_student: projected features, float32 [N, k].
        z_teacher: of the same samples, [N, k].
        tau: what the cosines are divided by, > 0.
    """
    if not len(z_student):
        return z_student.sum()
    cosines = F.normalize(z_student, dim=1) @ F.normalize(z_teacher, dim=1).T
    return F.cross_entropy(cosines / tau, torch.arange(len(cosines), device=cosines.device))


def subspace_distance(z_student: Tensor, z_teacher: Tensor) -> Tensor:
    """Return 1 − cosine [], the mean over [N, k] and [N, k] row by row: 0 to 2."""
    if not len(z_student):
        return z_student.sum()
    return 1.0 - F.cosine_similarity(z_student, z_teacher, dim=1).mean()
