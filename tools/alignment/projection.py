"""The student's way into the shared subspace."""

import torch
from torch import Tensor, nn


class Projection(nn.Module):
    """A learnable map with orthonormal directions from features into the subspace.

    The directions are the Q of a free matrix's QR decomposition: the student has to turn its
    features towards the prototypes and cannot merely stretch a few of them. The scale of the free
    matrix does not matter, so neither does weight decay. (`torch.nn.utils.parametrizations` keeps
    signs in the diagonal of its Householder form, and they are gone at the first decay.)

    Args:
        width: D of the student's features.
        rank: k of the subspace.

    Attributes:
        centre: where features are measured from, learnt, [k].

    Raises:
        ValueError: `rank` exceeds `width`: so many orthonormal directions do not exist.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        if rank > width:
            raise ValueError(
                f"a subspace of rank {rank} does not fit into {width} features: "
                f"fit it with rank={width} or less"
            )
        self.free = nn.Parameter(nn.init.orthogonal_(torch.empty(width, rank)))
        self.centre = nn.Parameter(torch.zeros(rank))

    @property
    def directions(self) -> Tensor:
        """Orthonormal columns, float32 [width, rank], a smooth function of the free matrix."""
        columns, triangle = torch.linalg.qr(self.free)
        return columns * triangle.diagonal().sign()

    def forward(self, features: Tensor) -> Tensor:
        """Map float32 [N, width] to [N, rank]."""
        return features @ self.directions - self.centre
