"""The student's way into the shared subspace."""

from torch import nn
from torch.nn.utils.parametrizations import orthogonal


def orthonormal_projection(width: int, rank: int) -> nn.Module:
    """Return a learnable map of features [N, width] to [N, rank] with orthonormal directions.

    Its weight [rank, width] has orthonormal rows at every step (a product of Householder
    reflections, which is cheaper here than the matrix exponential), so that the student has to
    turn its features towards the prototypes and cannot merely stretch them. The bias takes the
    place of the centre that the teacher's features are measured from.

    Args:
        width: D of the student's features.
        rank: k of the subspace.

    Raises:
        ValueError: `rank` exceeds `width`: so many orthonormal directions do not exist.
    """
    if rank > width:
        raise ValueError(
            f"a subspace of rank {rank} does not fit into {width} features: "
            f"fit it with rank={width} or less"
        )
    return orthogonal(nn.Linear(width, rank), orthogonal_map="householder")
