import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_daemon.capture.resample import StreamResampler, mix_down

MODEL_HZ = 8000
RATES_HZ = (6000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000)


def whole(samples: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    resampler = StreamResampler(from_hz, to_hz)
    head = resampler(samples)
    return np.concatenate((head, resampler.flush()))


def tone(frequency_hz: float, rate_hz: int, seconds: float = 1.0) -> NDArray[np.float32]:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * times).astype(np.float32)


def level_db(samples: NDArray[np.float32]) -> float:
    """Of a sine's steady part, relative to full scale."""
    steady = samples[400:-400].astype(np.float64)
    return float(10 * np.log10(2 * np.mean(steady**2) + 1e-20))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("frequency_hz", [60, 440, 1500, 2700])
def test_a_tone_below_the_cutoff_passes_in_time_and_amplitude(
    rate_hz: int, frequency_hz: float
) -> None:
    result = whole(tone(frequency_hz, rate_hz), rate_hz, MODEL_HZ)
    expected = tone(frequency_hz, MODEL_HZ)
    assert len(result) == len(expected)
    error = result[400:-400] - expected[400:-400]
    assert level_db(np.pad(error, 400)) < -60


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_all_that_the_model_hears_is_flat(rate_hz: int) -> None:
    assert level_db(whole(tone(3800, rate_hz), rate_hz, MODEL_HZ)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("frequency_hz", [4250, 5000, 7000])
def test_a_tone_above_the_cutoff_vanishes(rate_hz: int, frequency_hz: float) -> None:
    assert level_db(whole(tone(frequency_hz, rate_hz), rate_hz, MODEL_HZ)) < -60


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_agrees_with_soxr(rate_hz: int) -> None:
    random = np.random.default_rng(rate_hz)
    # Noise without anything near the cutoff, where filters may differ.
    spectrum = np.fft.rfft(random.normal(0, 0.1, rate_hz))
    spectrum[3500:] = 0
    noise = np.fft.irfft(spectrum).astype(np.float32)
    mine = whole(noise, rate_hz, MODEL_HZ)
    theirs = soxr.resample(noise, rate_hz, MODEL_HZ, quality="VHQ")
    assert len(mine) == len(theirs)
    difference = level_db(mine - theirs) - level_db(theirs)
    assert difference < -60


@settings(deadline=None, max_examples=30)
@given(
    rate_hz=st.sampled_from([8000, *RATES_HZ]),
    sizes=st.lists(st.integers(0, 1200), min_size=1, max_size=12),
)
def test_the_chunks_do_not_matter(rate_hz: int, sizes: list[int]) -> None:
    samples = np.random.default_rng(1).normal(0, 0.3, sum(sizes)).astype(np.float32)
    resampler = StreamResampler(rate_hz, MODEL_HZ)
    parts = []
    start = 0
    for size in sizes:
        parts.append(resampler(samples[start : start + size]))
        start += size
    parts.append(resampler.flush())
    pieces = np.concatenate(parts)
    assert len(pieces) == -(-len(samples) * MODEL_HZ // rate_hz)
    np.testing.assert_allclose(pieces, whole(samples, rate_hz, MODEL_HZ), atol=1e-5)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_the_delay_is_a_few_milliseconds_and_told(rate_hz: int) -> None:
    resampler = StreamResampler(rate_hz, MODEL_HZ)
    assert resampler.delay_s < 0.006
    block = rate_hz // 50
    click_at = 10 * block
    signal = np.zeros(20 * block, dtype=np.float32)
    signal[click_at] = 1.0
    output: list[float] = []
    for start in range(0, len(signal), block):
        samples = resampler(signal[start : start + block])
        output += samples.tolist()
        # Whatever came out last lies as far behind as the resampler says.
        received_s = (start + block - 1) / rate_hz
        last_s = (len(output) - 1) / MODEL_HZ
        assert resampler.behind_ns == pytest.approx((received_s - last_s) * 1e9, abs=2)
        assert resampler.behind_ns < 0.006e9
    assert int(np.argmax(np.abs(output))) == round(click_at * MODEL_HZ / rate_hz)


def test_equal_rates_pass_samples_through() -> None:
    samples = np.arange(100, dtype=np.float32)
    resampler = StreamResampler(MODEL_HZ, MODEL_HZ)
    assert resampler(samples) is samples
    assert resampler.behind_ns == 0
    assert len(resampler.flush()) == 0


def test_memory_is_bounded_by_the_filter() -> None:
    resampler = StreamResampler(48_000, MODEL_HZ)
    block = np.zeros(960, dtype=np.float32)
    total = sum(len(resampler(block)) for _ in range(500))
    assert 500 * 160 - total <= 41


def test_mix_down_is_the_mean_of_the_channels() -> None:
    stereo = np.array([[1.0, 0.0], [0.5, 0.5], [-1.0, 1.0]], dtype=np.float32)
    assert mix_down(stereo).tolist() == [0.5, 0.5, 0.0]
    assert mix_down(stereo).dtype == np.float32
    assert mix_down(stereo[:, :1]).tolist() == [1.0, 0.5, -1.0]
    assert mix_down(stereo[:, 0]).tolist() == [1.0, 0.5, -1.0]


def test_refuses_a_rate_that_is_none() -> None:
    with pytest.raises(ValueError, match="positive"):
        StreamResampler(0, MODEL_HZ)
