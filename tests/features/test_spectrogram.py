import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import FLOOR_DB, LogMel, hz_to_mel, log_mel, mel_to_hz

SPEC = AudioSpec(
    sample_rate_hz=8000,
    window=256,
    hop=80,
    bands=40,
    low_hz=60.0,
    high_hz=3800.0,
    band_slice=(0, 40),
    stride=1,
    columns=64,
    lead=4,
    span_ms=1000,
    range_db=(-60.0, 0.0),
)


def noise(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, count).astype(np.float32)


def tone(frequency_hz: float, count: int = 8000) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * frequency_hz * np.arange(count) / 8000).astype(np.float32)


def test_mel_scale_is_slaneys() -> None:
    frequencies_hz = np.array([0.0, 60.0, 440.0, 999.0, 1000.0, 1001.0, 3800.0, 8000.0])
    np.testing.assert_allclose(hz_to_mel(frequencies_hz), librosa.hz_to_mel(frequencies_hz))
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(frequencies_hz)), frequencies_hz)


@pytest.mark.parametrize(("window", "rate_hz"), [(256, 8000), (400, 16000)])
def test_equals_librosa(window: int, rate_hz: int) -> None:
    spec = replace(SPEC, window=window, sample_rate_hz=rate_hz)
    samples = noise(rate_hz)
    length = 256 if window == 256 else 512
    # librosa centres a shorter window in the transform; the power spectrum is the same wherever
    # it lies, so the frames only have to begin at the same sample.
    padded = np.pad(samples, ((length - window) // 2, length))
    power = librosa.feature.melspectrogram(
        y=padded.astype(np.float64),
        sr=rate_hz,
        n_fft=length,
        hop_length=80,
        win_length=window,
        center=False,
        n_mels=40,
        fmin=60.0,
        fmax=3800.0,
        htk=False,
        norm=None,
    )
    ours = log_mel(samples, spec)
    full_scale = (window / 4) ** 2  # |X|² of a full-scale sine under a Hann window
    theirs = 10.0 * np.log10(power.T[: len(ours)] / full_scale)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_a_full_scale_tone_is_0_db_in_its_band() -> None:
    low, high = hz_to_mel(np.array([60.0, 3800.0]))
    edges_hz = mel_to_hz(np.linspace(low, high, 42))
    for band in (3, 17, 36):
        centre_hz = 31.25 * round(float(edges_hz[band + 1]) / 31.25)
        column = log_mel(tone(centre_hz), SPEC)[10]
        assert abs(int(column.argmax()) - band) <= 1
        # The main lobe spans three bins, of which a wide band takes all: at most 1.76 dB more.
        assert -3.0 < float(column.max()) < 1.8


def test_an_impulse_is_seen_by_the_hops_that_cover_it() -> None:
    samples = np.zeros(4000, dtype=np.float32)
    samples[2000] = 1.0
    columns = log_mel(samples, SPEC)
    seen = np.flatnonzero(columns.max(axis=1) > FLOOR_DB + 1e-3)
    # Column h covers h·80 to h·80 + 255; Hann is zero at its first sample alone.
    assert seen.tolist() == [h for h in range(len(columns)) if h * 80 < 2000 <= h * 80 + 255]


def test_digital_silence_is_the_floor() -> None:
    columns = log_mel(np.zeros(1000, dtype=np.float32), SPEC)
    np.testing.assert_allclose(columns, FLOOR_DB, rtol=1e-6)


def test_a_broken_sample_spoils_only_the_hops_that_cover_it() -> None:
    samples = noise(4000)
    whole = log_mel(samples, SPEC)
    samples[2000] = np.nan
    columns = log_mel(samples, SPEC)
    assert np.isfinite(columns).all()
    np.testing.assert_array_equal(columns[:21], whole[:21])
    np.testing.assert_array_equal(columns[26:], whole[26:])


def test_only_kept_bands_are_computed_and_equal_those_of_the_whole() -> None:
    samples = noise(4000)
    part = log_mel(samples, replace(SPEC, band_slice=(5, 23)))
    assert part.shape[1] == 18
    np.testing.assert_allclose(part, log_mel(samples, SPEC)[:, 5:23], atol=1e-4)


@given(
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=12),
    window=st.sampled_from([64, 100, 256]),
    hop=st.sampled_from([80, 40, 130]),
)
def test_streaming_equals_the_whole_clip_for_any_chunking(
    sizes: list[int], window: int, hop: int
) -> None:
    spec = replace(SPEC, window=window, hop=hop, bands=12, band_slice=(1, 11), span_ms=500)
    samples = noise(sum(sizes), seed=sum(sizes))
    whole = log_mel(samples, spec)
    stream = LogMel(spec)
    position = 0
    for size in sizes:
        before = stream.hops_seen
        new = stream.push(samples[position : position + size])
        position += size
        assert stream.hops_seen == before + new
        covered = max(0, (position - window) // hop + 1)
        assert stream.hops_seen == covered
        columns = stream.columns()
        expected = whole[max(0, covered - spec.span) : covered]
        assert columns.shape == expected.shape
        np.testing.assert_allclose(columns, expected, atol=1e-3)


def test_memory_stays_put_however_long_it_runs() -> None:
    stream = LogMel(SPEC)
    stream.push(noise(8000))
    block = stream.columns().base
    for seed in range(40):
        stream.push(noise(1000, seed))
    assert stream.columns().base is block
    assert stream.columns().shape == (100, 40)


def test_columns_cannot_be_written_to() -> None:
    stream = LogMel(SPEC)
    stream.push(noise(800))
    with pytest.raises(ValueError, match="read-only"):
        stream.columns()[0, 0] = 0.0
    stream.push(noise(800))


def test_a_reset_forgets_everything() -> None:
    stream = LogMel(SPEC)
    stream.push(noise(5000, seed=1))
    stream.reset()
    assert (stream.hops_seen, len(stream.columns())) == (0, 0)
    stream.push(noise(3000, seed=2))
    np.testing.assert_allclose(stream.columns(), log_mel(noise(3000, seed=2), SPEC), atol=1e-3)
