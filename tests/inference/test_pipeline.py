from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.capture.source import Frame
from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.image import ImageFeatures
from edge_daemon.features.spectrogram import log_mel
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.inference.gate import Reuse
from edge_daemon.inference.interpreter import Interpreter, InterpreterError
from edge_daemon.inference.pipeline import (
    Pipeline,
    PipelineError,
    load_pipeline,
    normalised,
    softmax,
)
from edge_daemon.tier import TIERS, Tier
from edge_daemon.window import Window
from tests.data.make_models import IMAGE, bars_model
from tests.inference.scenes import AVDIGITS, BARS, RATE_HZ, SECOND_NS, bar, burst, ring_of, window


def drawing() -> NDArray[np.uint8]:
    """Grey paper with a stroke, unevenly lit."""
    rows = np.arange(120)
    paper = np.broadcast_to(150 + rows[:, None] // 2, (120, 160)).astype(np.uint8)
    paper[30:90, 75:85] = 30
    paper[30:40, 55:105] = 30
    return paper


def offline(directory: Path, tier: Tier, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same in plain steps, with the runtime's own softmax left to float64."""
    bundle = load_bundle(directory)
    spec = bundle.tiers[tier].inputs
    tensors = {"image": ImageFeatures(spec.image)(drawing())}
    if spec.audio is not None:
        columns = log_mel(samples, spec.audio)[-spec.audio.span :]
        tensors["audio"], _ = audio_tensor(columns, spec.audio)
    logits = Interpreter(directory / f"{tier}.tflite").run(tensors)["logits"][0].astype(np.float64)
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum())


@pytest.mark.parametrize("directory", [BARS, AVDIGITS], ids=["bars", "avdigits"])
@pytest.mark.parametrize("tier", TIERS)
def test_a_window_equals_the_plain_computation(directory: Path, tier: Tier) -> None:
    samples = burst(2.0, at_s=1.3)
    pipeline = load_pipeline(load_bundle(directory), tier)
    scores = pipeline.run(window(drawing(), ring_of(samples)))
    listens = tier in (Tier.MEDIUM, Tier.HIGH)
    assert pipeline.listens is listens
    assert (scores.image_used, scores.audio_used) == (True, listens)
    assert scores.image_ns == 5
    assert scores.audio_ns == ((len(samples) - 1) * SECOND_NS // RATE_HZ if listens else None)
    assert scores.probabilities.dtype == np.float32
    np.testing.assert_allclose(scores.probabilities, offline(directory, tier, samples), atol=1e-5)
    assert scores.probabilities.sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("label", range(4))
def test_every_tier_sees_the_bar(tier: Tier, label: int) -> None:
    scores = load_pipeline(load_bundle(BARS), tier).run(window(bar(label)))
    assert int(scores.probabilities.argmax()) == label
    assert scores.probabilities[label] > 0.9


@pytest.mark.parametrize("tier", TIERS)
def test_with_nothing_to_see_or_hear_the_scores_are_flat(tier: Tier) -> None:
    scores = load_pipeline(load_bundle(BARS), tier).run(window())
    assert (scores.image_used, scores.audio_used) == (False, False)
    assert (scores.image_ns, scores.audio_ns) == (None, None)
    np.testing.assert_allclose(scores.probabilities, 0.25, atol=0.02)


def test_a_silent_ring_is_no_sound() -> None:
    silence = np.zeros(16_000, np.float32)
    scores = load_pipeline(load_bundle(BARS), Tier.HIGH).run(window(bar(2), ring_of(silence)))
    assert (scores.image_used, scores.audio_used, scores.audio_ns) == (True, False, None)


def test_sound_alone_is_enough() -> None:
    ring = ring_of(burst(2.0, at_s=1.3))
    scores = load_pipeline(load_bundle(BARS), Tier.HIGH).run(window(None, ring))
    assert (scores.image_used, scores.audio_used) == (False, True)
    assert scores.probabilities.max() > 0.3


def test_a_picture_that_goes_leaves_nothing_behind() -> None:
    pipeline = load_pipeline(load_bundle(BARS), Tier.HIGH)
    before = pipeline.run(window()).probabilities
    pipeline.run(window(bar(3), ring_of(burst(2.0, at_s=1.3))))
    np.testing.assert_array_equal(pipeline.run(window()).probabilities, before)


def test_a_window_sounds_the_same_to_a_new_pipeline() -> None:
    bundle, samples = load_bundle(AVDIGITS), burst(3.0, at_s=2.2)
    ring, old = ring_of(samples), load_pipeline(load_bundle(AVDIGITS), Tier.HIGH)
    for end in range(800, 21_600, 800):
        old.run(window(drawing(), ring, end))
    end = 22_000
    expected = old.run(window(drawing(), ring, end))
    found = load_pipeline(bundle, Tier.HIGH).run(window(drawing(), ring, end))
    assert expected.audio_used and found.audio_used
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)


def test_two_threads_give_the_same() -> None:
    bundle = load_bundle(AVDIGITS)
    one, two = (load_pipeline(bundle, Tier.HIGH, threads) for threads in (1, 2))
    given = window(drawing(), ring_of(burst(2.0, at_s=1.3)))
    np.testing.assert_array_equal(one.run(given).probabilities, two.run(given).probabilities)


EXACT = Reuse(picture=0.0, sound=0.0, at_most_ns=SECOND_NS)


@pytest.mark.parametrize("tier", TIERS)
def test_reuse_of_equal_windows_changes_no_score(tier: Tier) -> None:
    """A whole recording, window by window, with a picture that changes now and then."""
    bundle, samples = load_bundle(AVDIGITS), burst(4.0, at_s=1.3)
    samples += np.roll(samples, 13_000)  # a second sound
    ring = ring_of(samples)
    plain, reusing = load_pipeline(bundle, tier), load_pipeline(bundle, tier)
    flags, heard = [], []
    for number, end in enumerate(range(800, len(samples), 800)):
        frame = Frame(drawing() if number // 12 % 2 else drawing()[::-1].copy(), number)
        given = Window(number, number * SECOND_NS // 10, frame, ring, end)
        expected, found = plain.run(given), reusing.run(given, EXACT)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert (
            found._replace(reused=False, kept_picture=False, probabilities=expected.probabilities)
            == expected
        )
        flags.append(found.reused)
        heard.append(found.audio_used)
    assert flags.count(True) > len(flags) / 4
    begins = [number for number in range(1, len(heard)) if heard[number] and not heard[number - 1]]
    assert len(begins) == (2 if tier in (Tier.MEDIUM, Tier.HIGH) else 0)
    assert not any(flags[number] for number in [0, 12, 24, 36, *begins])


def test_only_the_sound_is_new_where_only_the_sound_changed() -> None:
    """With any picture taken for the same, the picture's tensor stays and the sound is heard."""
    bundle, ring = load_bundle(BARS), ring_of(burst(2.0, at_s=1.3))
    pipeline, fresh = (load_pipeline(bundle, Tier.HIGH) for _ in range(2))
    reuse = Reuse(picture=1.0, sound=0.0, at_most_ns=SECOND_NS)
    assert not pipeline.run(window(bar(0)), reuse).reused
    found = pipeline.run(window(bar(3), ring), reuse)
    assert (found.reused, found.audio_used) == (False, True)
    expected = fresh.run(window(bar(0), ring))
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)


def test_reused_scores_are_of_the_pictures_own_time() -> None:
    pipeline = load_pipeline(load_bundle(BARS), Tier.LOW)
    pipeline.run(window(bar(1)), EXACT)
    found = pipeline.run(Window(1, 7, Frame(bar(1), 6)), EXACT)
    assert (found.reused, found.image_used, found.image_ns) == (True, True, 6)


def test_a_window_that_failed_leaves_nothing_to_reuse() -> None:
    pipeline = load_pipeline(load_bundle(BARS), Tier.LOW)
    expected = pipeline.run(window(bar(2)), EXACT).probabilities
    with pytest.raises(ValueError, match="shape"):
        pipeline.run(window(np.zeros((4, 4, 7), np.uint8)), EXACT)
    found = pipeline.run(window(bar(2)), EXACT)
    assert not found.reused
    np.testing.assert_array_equal(found.probabilities, expected)


def test_a_model_that_failed_leaves_nothing_to_reuse() -> None:
    bundle = load_bundle(BARS)
    interpreter = Interpreter(bars_model({"image": IMAGE}, quantised=False))
    pipeline = Pipeline(Tier.LOW, bundle.tiers[Tier.LOW], bundle.labels, interpreter)
    pipeline._no_image[:] = np.nan
    for _ in range(2):  # the second time it is the same window
        with pytest.raises(PipelineError, match="low"):
            pipeline.run(window(), EXACT)


def test_a_pipeline_that_forgets_computes() -> None:
    pipeline = load_pipeline(load_bundle(BARS), Tier.LOW)
    pipeline.run(window(bar(1)), EXACT)
    pipeline.forget()
    assert not pipeline.run(window(bar(1)), EXACT).reused
    pipeline.close()
    with pytest.raises(InterpreterError, match="closed"):
        pipeline.run(window(bar(1)), EXACT)


def test_nan_from_a_model_is_an_error() -> None:
    bundle = load_bundle(BARS)
    interpreter = Interpreter(bars_model({"image": IMAGE}, quantised=False))
    pipeline = Pipeline(Tier.LOW, bundle.tiers[Tier.LOW], bundle.labels, interpreter)
    pipeline.run(window(bar(0)))
    pipeline._no_image[:] = np.nan
    with pytest.raises(PipelineError, match="low"):
        pipeline.run(window())


def test_a_closed_pipeline_says_so() -> None:
    pipeline = load_pipeline(load_bundle(BARS), Tier.LOW)
    pipeline.close()
    pipeline.close()
    with pytest.raises(InterpreterError, match="closed"):
        pipeline.run(window(bar(0)))


def test_softmax_is_stable() -> None:
    given = softmax(np.array([1000.0, 1000.0, -1000.0], np.float32))
    np.testing.assert_allclose(given, [0.5, 0.5, 0.0])
    assert softmax(np.array([0.0, np.log(3.0)], np.float32)).tolist() == pytest.approx([0.25, 0.75])


def test_probabilities_are_made_to_sum_to_one_again() -> None:
    given = normalised(np.array([0.6, 0.2, -0.1], np.float32))
    np.testing.assert_allclose(given, [0.75, 0.25, 0.0])
    np.testing.assert_allclose(normalised(np.zeros(4, np.float32)), 0.25)
