"""The shared subspace: where the teacher's visual and audio features of a class coincide."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tools.training.losses import NOTHING

ROWS = 4096
"""Samples that are widened to float64 at a time."""

SAME = 1e-9
"""Spread along an axis, in that of the widest, below which the means coincide there."""

OPPOSED = 1e-6
"""Length of the sum of two unit vectors below which it has no direction."""


class SubspaceError(Exception):
    """No subspace can be fitted; the text says what is missing."""


@dataclass(frozen=True)
class Subspace:
    """Two orthonormal bases, one for each modality's features, with the same k axes.

    Attributes:
        visual_centre: what is subtracted from visual features first, float32 [Dv].
        visual_basis: orthonormal columns, float32 [Dv, k].
        audio_centre: float32 [Da].
        audio_basis: orthonormal columns, float32 [Da, k].
        prototypes: where each class lies, unit vectors, float32 [labels, k].
    """

    visual_centre: Tensor
    visual_basis: Tensor
    audio_centre: Tensor
    audio_basis: Tensor
    prototypes: Tensor

    @property
    def rank(self) -> int:
        """k, the number of axes."""
        return self.prototypes.shape[1]

    def project(self, features: Tensor, modality: str) -> Tensor:
        """Map the teacher's "visual" or "audio" features [N, D] to [N, k]."""
        if modality == "visual":
            return (features - self.visual_centre) @ self.visual_basis
        return (features - self.audio_centre) @ self.audio_basis

    def document(self) -> dict[str, Tensor]:
        """Return plain tensors for a checkpoint; `subspace_of` gives the subspace back."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def subspace_of(document: dict[str, Any]) -> Subspace:
    """Read what `Subspace.document` returned."""
    return Subspace(**document)


def class_means(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return the mean feature of every class, float64 [classes, D].

    Args:
        features: [N, D] of any float dtype.
        labels: int64 [N]; samples of `NOTHING` are left out.
        classes: number of labels.

    Raises:
        SubspaceError: A class has no sample.
    """
    counts = torch.bincount(labels[labels != NOTHING], minlength=classes)
    if (counts == 0).any():
        missing = ", ".join(str(int(label)) for label in (counts == 0).nonzero()[:, 0])
        raise SubspaceError(f"no sample of label {missing}: take more samples to fit a subspace")
    sums = torch.zeros(classes, features.shape[1], dtype=torch.float64, device=features.device)
    for part, wanted in zip(features.split(ROWS), labels.split(ROWS), strict=True):
        known = wanted != NOTHING
        sums.index_add_(0, wanted[known], part[known].double())
    return sums / counts[:, None]


def shared_subspace(visual: Tensor, audio: Tensor, rank: int | None = None) -> Subspace:
    """Fit the subspace to the teacher's class means of both modalities.

    Each basis spans the directions in which the centred means differ most (singular value
    decomposition); the audio basis is then turned so that both modalities' means of a class point
    the same way as nearly as an orthogonal map can make them (Procrustes, Schönemann 1966).

    Args:
        visual: class means, float64 [labels, Dv].
        audio: class means, float64 [labels, Da].
        rank: k, at most labels − 1 and at most the dimensions of any feature that is projected;
            by default as many as the means of both modalities span.

    Raises:
        SubspaceError: The means do not span `rank` dimensions, or the modalities contradict each
            other in so few of them.
    """
    (visual_centre, visual_axes), (audio_centre, audio_axes) = spanned(visual), spanned(audio)
    most = min(visual_axes.shape[1], audio_axes.shape[1])
    rank = most if rank is None else rank
    if not 1 <= rank <= most:
        raise SubspaceError(
            f"rank {rank}: the class means of both modalities span {most} dimensions; "
            f"choose a rank of 1 to {most}, or train the teacher until it tells the classes apart"
        )
    visual_basis, audio_basis = visual_axes[:, :rank], audio_axes[:, :rank]
    seen = directions((visual - visual_centre) @ visual_basis)
    heard = directions((audio - audio_centre) @ audio_basis)
    left, _, right = torch.linalg.svd(heard.T @ seen)
    turn = left @ right
    midway = seen + heard @ turn
    opposed = (midway.norm(dim=1) < OPPOSED).nonzero()[:, 0].tolist()
    if opposed:
        raise SubspaceError(
            f"rank {rank}: picture and sound of label {', '.join(map(str, opposed))} point "
            f"opposite ways; choose a higher rank, up to {most}"
        )
    prototypes = directions(midway)
    parts = (visual_centre, visual_basis, audio_centre, audio_basis @ turn, prototypes)
    return Subspace(*(part.float() for part in parts))


def spanned(means: Tensor) -> tuple[Tensor, Tensor]:
    """Return the centre [D] of class means [labels, D] and the axes [D, r] along which they lie.

    Axes are ordered by how much the means differ; r is the numerical rank, labels − 1 at most.
    """
    centre = means.mean(0)
    _, strengths, axes = torch.linalg.svd(means - centre, full_matrices=False)
    least = SAME * strengths.max()
    return centre, axes[(strengths > least) & (strengths > 0.0)].T


def directions(vectors: Tensor) -> Tensor:
    """Return vectors [N, k] at length 1."""
    return F.normalize(vectors, dim=1)
