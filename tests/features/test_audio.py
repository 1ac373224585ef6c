import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.onset import find_onset
from edge_daemon.features.spectrogram import LogMel
from tests.features.test_onset import spoken
from tests.features.test_spectrogram import SPEC


def test_the_first_column_lies_lead_hops_before_the_onset() -> None:
    columns = spoken(0.2, 0.4)
    onset = find_onset(columns)
    assert onset is not None
    tensor, sound = audio_tensor(columns, SPEC)
    assert sound
    assert tensor.shape == (1, 64, 40, 1)
    assert tensor.dtype == np.float32
    first = onset - SPEC.lead
    loudest = float(columns[first:].max())
    expected = np.clip((columns[first : first + 64] - loudest + 60.0) / 60.0, 0.0, 1.0)
    np.testing.assert_allclose(tensor[0, :, :, 0], expected, atol=1e-5)
    assert tensor[0, : SPEC.lead - 1].max() < 0.3 < tensor[0, SPEC.lead + 2].max()


def test_columns_not_heard_yet_are_zero() -> None:
    columns = spoken(0.7, 0.3)
    onset = find_onset(columns)
    assert onset is not None
    tensor, _ = audio_tensor(columns, SPEC)
    heard = len(columns) - (onset - SPEC.lead)
    assert tensor[0, :heard].any(axis=(1, 2)).all()
    assert not tensor[0, heard:].any()


def test_columns_before_the_span_are_zero() -> None:
    columns = spoken(0.2, 0.4)
    onset = find_onset(columns)
    assert onset is not None
    early = columns[onset - 4 :]  # the span begins 4 columns before the onset
    spec = replace(SPEC, lead=9)
    moved = find_onset(early)
    assert moved is not None
    missing = spec.lead - moved
    assert missing > 0
    tensor, sound = audio_tensor(early, spec)
    assert sound
    assert not tensor[0, :missing].any()
    assert tensor[0, missing + 6 :].any()


def test_a_shorter_tensor_is_a_prefix_of_a_longer_one() -> None:
    columns = spoken(0.3, 0.4, noise_db=-30.0)
    whole, _ = audio_tensor(columns, SPEC)
    part, _ = audio_tensor(columns, replace(SPEC, columns=40))
    np.testing.assert_array_equal(part, whole[:, :40])


@pytest.mark.parametrize("stride", [2, 3])
def test_a_stride_takes_every_nth_column(stride: int) -> None:
    columns = spoken(0.3, 0.4, noise_db=-30.0)
    whole, _ = audio_tensor(columns, SPEC)
    part, _ = audio_tensor(columns, replace(SPEC, columns=20, stride=stride))
    np.testing.assert_array_equal(part[0], whole[0, : 20 * stride : stride])


def test_digital_silence_gives_zeros() -> None:
    stream = LogMel(SPEC)
    stream.push(np.zeros(8000, dtype=np.float32))
    tensor, sound = audio_tensor(stream.columns(), SPEC)
    assert not sound
    assert not tensor.any()


def test_a_sound_after_digital_silence_is_found_and_finite() -> None:
    stream = LogMel(SPEC)
    samples = np.zeros(8000, dtype=np.float32)
    samples[4000:6000] = 0.5 * np.sin(2 * np.pi * 500 * np.arange(2000) / 8000)
    stream.push(samples)
    tensor, sound = audio_tensor(stream.columns(), SPEC)
    assert sound
    assert np.isfinite(tensor).all()
    assert tensor.max() == pytest.approx(1.0)


def test_the_volume_does_not_matter() -> None:
    columns = spoken(0.3, 0.4, noise_db=-40.0)
    loud, _ = audio_tensor(columns, SPEC)
    quiet, _ = audio_tensor(columns - np.float32(18.0), SPEC)
    np.testing.assert_allclose(quiet, loud, atol=1e-5)


@given(
    count=st.integers(0, 110),
    bands=st.integers(1, 40),
    lead=st.integers(0, 20),
    stride=st.integers(1, 4),
    columns=st.integers(1, 70),
    seed=st.integers(0, 200),
)
def test_any_input_gives_the_tensor_of_the_spec(
    count: int, bands: int, lead: int, stride: int, columns: int, seed: int
) -> None:
    spec = replace(SPEC, band_slice=(40 - bands, 40), lead=lead, stride=stride, columns=columns)
    random = np.random.default_rng(seed)
    step = random.integers(0, count + 1)
    columns_db = random.uniform(-90.0, -70.0, (count, bands)).astype(np.float32)
    columns_db[step:] += 40.0
    tensor, sound = audio_tensor(columns_db, spec)
    assert tensor.shape == (1, columns, bands, 1)
    assert np.isfinite(tensor).all()
    assert tensor.min() >= 0.0
    assert tensor.max() <= 1.0
    assert sound or not tensor.any()
