"""Augmentation of spectrograms into what other speakers would have said."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import hz_to_mel, mel_to_hz
from tools.training.augment import uniform

TRACT = 0.18
"""Natural logarithm of how much longer or shorter a vocal tract may be: 20 %."""

SPEED = 0.18
"""The same for how fast a word is said."""

SLOPE = 0.12
"""Most that the lowest band is raised or the highest lowered, of the spectrogram's range: 7 dB."""


def other_voices(spectrograms: Tensor, spec: AudioSpec, generator: torch.Generator) -> Tensor:
    """Say each word with a vocal tract, at a pace and with a brightness that vary.

    A longer vocal tract moves all formants down by one factor (vocal tract length perturbation,
    Jaitly and Hinton 2013), whatever the speed: resampling the sound would tie one to the other.

    Args:
        spectrograms: float32 [N, columns, kept bands, 1] in 0 to 1; 0 is silence.
        spec: which bands those are, and the column of the onset, which stays where it is.
        generator: the source of all random numbers.
    """
    count, columns, bands, _ = spectrograms.shape
    tract = uniform(count, -TRACT, TRACT, generator).exp()
    speed = uniform(count, -SPEED, SPEED, generator).exp()
    slope = uniform(count, -SLOPE, SLOPE, generator)
    onset = spec.lead / spec.stride
    column = onset + (torch.arange(columns) - onset) * speed[:, None]
    x = resampled(spectrograms.squeeze(3), column, warped_bands(tract, spec))
    x = x * (column < columns)[:, :, None]  # what a faster word leaves room for is silent
    x = torch.where(x > 0.0, x + slope[:, None, None] * torch.linspace(1.0, -1.0, bands), x)
    return x.clamp_(0.0, 1.0).unsqueeze(3)


def warped_bands(tract: Tensor, spec: AudioSpec) -> Tensor:
    """Return where each kept band's energy is found when a vocal tract has another length.

    Args:
        tract: length in that of the speaker's own, float32 [N].
        spec: the mel scale.

    Returns:
        float32 [N, kept bands], in kept bands from the first one; some lie outside.
    """
    low, high = hz_to_mel(np.array([spec.low_hz, spec.high_hz]))
    step = (high - low) / (spec.bands + 1)
    first, last = spec.band_slice
    centres_hz = mel_to_hz(low + step * np.arange(first + 1, last + 1))
    found = hz_to_mel(centres_hz * tract.double().numpy()[:, None])
    return torch.from_numpy((found - low) / step - 1.0 - first).float()


def resampled(x: Tensor, columns: Tensor, bands: Tensor) -> Tensor:
    """Interpolate [N, T, B] linearly at columns [N, T'] and bands [N, B']; edges are repeated."""
    across = bands[:, None, :] * (2.0 / (x.shape[2] - 1)) - 1.0
    along = columns[:, :, None] * (2.0 / (x.shape[1] - 1)) - 1.0
    grid = torch.stack(torch.broadcast_tensors(across, along), 3)
    taken = F.grid_sample(x[:, None], grid, padding_mode="border", align_corners=True)
    return taken.squeeze(1)
