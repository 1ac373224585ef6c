"""Augmentation of whole batches, by what a microphone and a camera vary by themselves."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return float32 [count] between `low` and `high`."""
    return torch.rand(count, generator=generator) * (high - low) + low


def warp_pictures(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turn, shear, scale and shift each picture a little.

    Args:
        images: float32 [N, H, W, 1] in 0 to 1, black outside.
        generator: the source of all random numbers.
    """
    count = len(images)
    angle = uniform(count, -12.0, 12.0, generator) * (math.pi / 180.0)
    shear = uniform(count, -0.12, 0.12, generator)
    scale_x, scale_y = (uniform(count, 0.88, 1.12, generator) for _ in range(2))
    shift_x, shift_y = (uniform(count, -0.09, 0.09, generator) for _ in range(2))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rows = (
        torch.stack([cosine * scale_x, (shear - sine) * scale_y, shift_x], 1),
        torch.stack([(shear + sine) * scale_x, cosine * scale_y, shift_y], 1),
    )
    pictures = images.permute(0, 3, 1, 2)
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    warped = F.grid_sample(pictures, grid, align_corners=False)
    return warped.permute(0, 2, 3, 1)


def vary_spectrograms(spectrograms: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Change gain and onset, mask bands and columns (SpecAugment, Park et al. 2019).

    Args:
        spectrograms: float32 [N, columns, bands, 1] in 0 to 1; 0 is silence.
        shift: most columns by which the onset is early or late.
        generator: the source of all random numbers.
    """
    count, columns, bands, _ = spectrograms.shape
    column = torch.arange(columns)
    moved = column + torch.randint(-shift, shift + 1, (count, 1), generator=generator)
    taken = moved.clamp(0, columns - 1)[:, :, None, None].expand(-1, -1, bands, 1)
    x = spectrograms.gather(1, taken) * ((moved >= 0) & (moved < columns))[:, :, None, None]
    gain = uniform(count, -0.08, 0.08, generator)[:, None, None, None]
    x = torch.where(x > 0.0, x + gain, x).clamp_(0.0, 1.0)
    kept = ~stripe(count, bands, bands // 5, generator)[:, None, :, None]
    kept = kept & ~stripe(count, columns, columns // 6, generator)[:, :, None, None]
    return x * kept


def stripe(count: int, length: int, longest: int, generator: torch.Generator) -> Tensor:
    """Return bool [count, length]: one run of up to `longest` places each, in every second row."""
    first = torch.randint(0, length, (count, 1), generator=generator)
    size = torch.randint(0, longest + 1, (count, 1), generator=generator)
    chosen = torch.rand(count, 1, generator=generator) < 0.5
    place = torch.arange(length)
    return (place >= first) & (place < first + size) & chosen
