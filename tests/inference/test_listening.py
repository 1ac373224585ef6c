import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import log_mel
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.inference.listening import Listener
from edge_daemon.tier import Tier
from tests.inference.scenes import BARS, burst, feed, ring_of

STEP = 800  # samples of a window of 100 ms


def spec_of(tier: Tier) -> AudioSpec:
    spec = load_bundle(BARS).tiers[tier].inputs.audio
    assert spec is not None
    return spec


def offline(
    samples: NDArray[np.float32], end: int, spec: AudioSpec
) -> tuple[NDArray[np.float32], bool]:
    """The whole clip at once: the last `span` columns that fit before `end`."""
    return audio_tensor(log_mel(samples[:end], spec)[-spec.span :], spec)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("bands", [(0, 40), (0, 24), (7, 39)])
@pytest.mark.parametrize("tier", [Tier.MEDIUM, Tier.HIGH])
def test_window_by_window_equals_the_whole_clip(
    tier: Tier, bands: tuple[int, int], stride: int
) -> None:
    spec, samples = spec_of(tier), burst(3.0, at_s=1.2)
    spec = replace(spec, band_slice=bands, stride=stride)
    ring, listener = ring_of(samples[:0]), Listener(spec)
    heard = 0
    for start in range(0, len(samples), STEP):
        feed(ring, samples[start : start + STEP])
        tensor, found = listener.listen(ring, ring.end)
        expected, expected_found = offline(samples, ring.end, spec)
        assert found is expected_found
        np.testing.assert_allclose(tensor, expected, atol=1e-4)
        heard += found
    assert heard > 5


@pytest.mark.parametrize("end", [16_000, 16_079, 17_234])
def test_a_late_listener_hears_what_an_old_one_hears(end: int) -> None:
    spec, samples = spec_of(Tier.HIGH), burst(2.5, at_s=1.4)
    ring, old = ring_of(samples), Listener(spec)
    for until in range(STEP, end, STEP):
        old.listen(ring, until)
    tensor, found = old.listen(ring, end)
    late_tensor, late_found = Listener(spec).listen(ring, end)
    assert found and late_found
    np.testing.assert_allclose(late_tensor, tensor, atol=1e-5)


def test_a_pause_does_not_cost_more_than_the_span() -> None:
    spec, samples = spec_of(Tier.HIGH), burst(4.0, at_s=3.4)
    ring, listener = ring_of(samples[:8037]), Listener(spec)
    listener.listen(ring, ring.end)
    feed(ring, samples[8037:])
    tensor, found = listener.listen(ring, ring.end)
    expected, _ = offline(samples, ring.end, spec)
    assert found
    np.testing.assert_allclose(tensor, expected, atol=1e-4)
    assert ring.lost == 0


def test_a_gap_starts_the_spectrogram_again() -> None:
    """What was overwritten unheard is not joined on: columns after the gap equal a fresh start."""
    spec, samples = spec_of(Tier.HIGH), burst(3.0, at_s=2.5)
    capacity = 6001  # shorter than the span, so that the ring forgets between two windows
    ring = ring_of(samples[:4000], capacity)
    listener = Listener(spec)
    listener.listen(ring, ring.end)
    feed(ring, samples[4000:12_000])
    feed(ring, samples[12_000:])
    tensor, found = listener.listen(ring, ring.end)
    oldest = -(-(ring.end - capacity) // spec.hop) * spec.hop
    expected, _ = audio_tensor(log_mel(samples[oldest:], spec), spec)
    assert found
    np.testing.assert_allclose(tensor, expected, atol=1e-4)


def test_a_sound_that_began_in_a_gap_has_no_onset() -> None:
    """The silence before a gap and the sound after it are not one recording."""
    spec = spec_of(Tier.HIGH)
    samples = burst(1.375, at_s=0.54)
    ring, listener = ring_of(samples[:4000], capacity=6001), Listener(spec)
    listener.listen(ring, ring.end)
    feed(ring, samples[4000:])
    assert ring.end - ring.capacity > 0.54 * 8000
    _, found = listener.listen(ring, ring.end)
    assert not found
    _, found = Listener(spec).listen(ring_of(samples), len(samples))
    assert found  # with nothing lost


def test_a_window_that_ends_before_the_last_one_changes_nothing() -> None:
    spec, samples = spec_of(Tier.HIGH), burst(2.0, at_s=1.2)
    ring, listener = ring_of(samples), Listener(spec)
    tensor, _ = listener.listen(ring, 15_000)
    again, _ = listener.listen(ring, 14_000)
    np.testing.assert_array_equal(again, tensor)
    after, _ = listener.listen(ring, 16_000)
    np.testing.assert_allclose(after, offline(samples, 16_000, spec)[0], atol=1e-4)


def test_nothing_heard_yet_is_silence() -> None:
    spec = spec_of(Tier.HIGH)
    tensor, found = Listener(spec).listen(ring_of(np.zeros(0, np.float32)), 0)
    assert not found
    assert tensor.shape == (1, 64, 40, 1)
    assert not tensor.any()


def test_warming_leaves_no_trace() -> None:
    spec, samples = spec_of(Tier.HIGH), burst(2.0, at_s=1.2)
    warmed = Listener(spec)
    warmed.warm()
    tensor, _ = warmed.listen(ring_of(samples), 16_000)
    np.testing.assert_array_equal(tensor, Listener(spec).listen(ring_of(samples), 16_000)[0])
