import math

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from edge_daemon.features.spectrogram import log_mel
from tools.tiers import AUDIO_FULL
from tools.training.other_voices import TRACT, other_voices, resampled, warped_bands

RATE_HZ = AUDIO_FULL.sample_rate_hz


def tone(frequency_hz: float) -> Tensor:
    """The mean spectrum of a tone, in decibels, [bands]."""
    seconds = torch.arange(RATE_HZ) / RATE_HZ
    samples = 0.5 * torch.sin(2 * math.pi * frequency_hz * seconds)
    return torch.from_numpy(log_mel(samples.numpy(), AUDIO_FULL)).mean(0)


def centre(spectrum: Tensor) -> float:
    """Where a peak lies, in bands, to a fraction."""
    weight = (spectrum - spectrum.max() + 12.0).clamp(min=0.0)
    return float((weight * torch.arange(len(spectrum))).sum() / weight.sum())


@pytest.mark.parametrize("tract", [0.85, 1.0, 1.2])
@pytest.mark.parametrize("frequency_hz", [700.0, 1300.0, 2400.0])
def test_a_longer_tract_lowers_a_tone_by_its_factor(tract: float, frequency_hz: float) -> None:
    bands = warped_bands(torch.tensor([tract]), AUDIO_FULL)
    columns = torch.zeros(1, 2)
    warped = resampled(tone(frequency_hz).expand(1, 2, -1), columns, bands)[0, 0]
    assert centre(warped) == pytest.approx(centre(tone(frequency_hz / tract)), abs=0.35)


def test_a_slice_of_the_bands_is_warped_as_in_the_whole() -> None:
    tract = torch.tensor([0.9, 1.1])
    part = replace(AUDIO_FULL, band_slice=(5, 30))
    whole = warped_bands(tract, AUDIO_FULL)[:, 5:30] - 5.0
    torch.testing.assert_close(warped_bands(tract, part), whole)


def test_resampling_is_linear_and_repeats_the_edges() -> None:
    x = 10.0 * torch.arange(4.0)[None, :, None] + torch.arange(3.0)
    columns, bands = torch.tensor([[0.5, 2.0, 9.0]]), torch.tensor([[-4.0, 0.25, 2.0]])
    expected = torch.tensor([[[5.0, 5.25, 7.0], [20.0, 20.25, 22.0], [30.0, 30.25, 32.0]]])
    torch.testing.assert_close(resampled(x, columns, bands), expected)


def words(count: int) -> Tensor:
    """Words that begin at the onset, end at column 40 and get louder; [N, columns, bands, 1]."""
    x = torch.zeros(count, AUDIO_FULL.columns, AUDIO_FULL.kept_bands, 1)
    x[:, AUDIO_FULL.lead : 40] = torch.linspace(0.4, 0.6, 40 - AUDIO_FULL.lead)[:, None, None]
    return x


def test_the_onset_stays_while_the_end_moves_by_the_pace() -> None:
    varied = other_voices(words(400), AUDIO_FULL, torch.Generator().manual_seed(0)).squeeze(3)
    loud = varied[:, :, 20] > 0.2
    first = loud.int().argmax(1)
    length = loud.sum(1).float()
    assert set(first.tolist()) == {AUDIO_FULL.lead}
    spoken = 40 - AUDIO_FULL.lead
    assert length.min() == pytest.approx(spoken / 1.2, abs=1.5)
    assert length.max() == pytest.approx(spoken * 1.2, abs=1.5)
    assert length.mean() == pytest.approx(spoken, abs=1.0)


def test_after_a_faster_word_it_is_silent() -> None:
    lasting = torch.full((200, AUDIO_FULL.columns, AUDIO_FULL.kept_bands, 1), 0.5)
    varied = other_voices(lasting, AUDIO_FULL, torch.Generator().manual_seed(5))
    silent = (varied == 0.0).all(2).squeeze(2)
    assert 0.4 < float(silent[:, -1].float().mean()) < 0.6
    assert int(silent.sum(1).max()) == pytest.approx(60 - 60 / 1.2, abs=1)


def test_brightness_varies_both_ways_about_a_fixed_middle() -> None:
    varied = other_voices(words(400), AUDIO_FULL, torch.Generator().manual_seed(1))
    column = varied[:, 20, :, 0]
    tilt = column[:, 0] - column[:, -1]
    assert tilt.min() == pytest.approx(-0.24, abs=0.02)
    assert tilt.max() == pytest.approx(0.24, abs=0.02)
    assert abs(float(tilt.mean())) < 0.02


def test_silence_stays_silent_and_values_within_0_to_1() -> None:
    generator = torch.Generator().manual_seed(2)
    assert not other_voices(torch.zeros(8, 64, 40, 1), AUDIO_FULL, generator).any()
    varied = other_voices(torch.ones(50, 64, 40, 1), AUDIO_FULL, generator)
    assert varied.min() >= 0.0
    assert varied.max() <= 1.0


def test_all_comes_from_the_generator() -> None:
    x = words(6)
    first, again, other = (
        other_voices(x, AUDIO_FULL, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert math.exp(TRACT) == pytest.approx(1.2, abs=0.01)
