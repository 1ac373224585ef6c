"""The maps of a branch that a teacher may be compared with, on a common grid of places."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


def stages(first: Tensor, blocks: nn.Sequential) -> list[Tensor]:
    """Return the stem's map and the last map of every resolution, in order.

    Args:
        first: the stem's map [N, C, H, W].
        blocks: what follows; their last map is always among those returned.
    """
    maps = [first]
    x = first
    for number, block in enumerate(blocks):
        following = block(x)
        if number > 0 and following.shape[2:] != x.shape[2:]:
            maps.append(x)
        x = following
    return [*maps, x]


def stage_widths(channels: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Return the channels of what `stages` returns, without computing it."""
    before_a_step = (
        channels[number] for number, stride in enumerate(strides) if number > 0 and stride > 1
    )
    return (channels[0], *before_a_step, channels[-1])


def places(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    """Average [N, C, H, W] over each cell of a grid of rows and columns: [N, C, cells]."""
    return F.adaptive_avg_pool2d(maps, grid).flatten(2)
