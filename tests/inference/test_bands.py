"""Tiers that listen to other bands and at another stride than their neighbours."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_daemon.capture.ring import SampleRing
from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import log_mel
from edge_daemon.inference.bundle import Bundle, check_models, load_bundle
from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.inference.pipeline import load_pipeline
from edge_daemon.tier import Tier
from tests.data.make_models import IMAGE, bars_model
from tests.inference.board import Board
from tests.inference.scenes import BARS, bar, burst, ring_of, window
from tests.inference.test_bundle import with_model

STEP = 800  # samples of a window of 100 ms


def sliced(directory: Path) -> Bundle:
    """Write the bars with a medium tier that hears 32 of the bands and every second hop."""
    shutil.copytree(BARS, directory)
    inputs = load_bundle(BARS).tiers[Tier.MEDIUM].inputs
    assert inputs.audio is not None
    audio = replace(inputs.audio, band_slice=(0, 32), stride=2, columns=20)
    model = bars_model({"image": IMAGE, "audio": (1, 20, 32, 1)})
    return with_model(directory, Tier.MEDIUM, model, inputs=replace(inputs, audio=audio))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return sliced(tmp_path / "sliced")


def spec_of(bundle: Bundle, tier: Tier) -> AudioSpec:
    audio = bundle.tiers[tier].inputs.audio
    assert audio is not None
    return audio


def offline(bundle: Bundle, tier: Tier, heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits of a window with the first bar in sight, in plain steps over the clip."""
    spec = spec_of(bundle, tier)
    whole = replace(spec, band_slice=(0, spec.bands))
    columns = log_mel(heard, whole)[-spec.span :, slice(*spec.band_slice)]
    image = bar(0).astype(np.float32).reshape(1, 28, 28, 1) / np.float32(255.0)
    audio, found = audio_tensor(np.ascontiguousarray(columns), spec)
    assert found
    with_both = {"image": image, "audio": audio}
    logits: NDArray[np.float32] = Interpreter(bundle.model_path(tier)).run(with_both)["logits"][0]
    return logits


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64))
    return np.asarray(powers / powers.sum())


def test_the_bundle_is_sound(bundle: Bundle) -> None:
    reports = check_models(bundle)
    shapes = {
        tier: next(info.shape for info in reports[tier].inputs if info.name == "audio")
        for tier in (Tier.MEDIUM, Tier.HIGH)
    }
    assert shapes == {Tier.MEDIUM: (1, 20, 32, 1), Tier.HIGH: (1, 64, 40, 1)}
    assert bundle.sample_rate_hz == 8000


@pytest.mark.parametrize("tier", [Tier.MEDIUM, Tier.HIGH])
def test_a_window_equals_the_plain_computation(bundle: Bundle, tier: Tier) -> None:
    samples = burst(2.0, at_s=1.5)
    found = load_pipeline(bundle, tier).run(window(bar(0), ring_of(samples)))
    assert found.audio_used
    expected = probabilities(offline(bundle, tier, samples))
    np.testing.assert_allclose(found.probabilities, expected, atol=2e-3)


def test_a_swap_hears_a_word_that_began_before_it(bundle: Bundle) -> None:
    """From window to window another tier; each hears what it would have, had it always run."""
    samples = burst(3.0, at_s=1.25)
    board = Board(bundle.path)
    always = {tier: load_pipeline(bundle, tier) for tier in (Tier.MEDIUM, Tier.HIGH)}
    ring = SampleRing(24_000, 8000)
    heard = dict.fromkeys(always, 0)
    for number, end in enumerate(range(STEP, len(samples) + 1, STEP)):
        tier = (Tier.HIGH, Tier.MEDIUM)[number % 2]
        ring = ring_of(samples[:end])
        board.go(tier)
        found = board.pipeline.run(window(bar(0), ring))
        steady = {one: pipeline.run(window(bar(0), ring)) for one, pipeline in always.items()}
        assert found.audio_used is steady[tier].audio_used
        np.testing.assert_allclose(found.probabilities, steady[tier].probabilities, atol=2e-3)
        if found.audio_used:
            heard[tier] += 1
            expected = probabilities(offline(bundle, tier, samples[:end]))
            np.testing.assert_allclose(found.probabilities, expected, atol=2e-3)
    assert min(heard.values()) >= 4
    assert ring.lost == 0
    assert board.faults == []
