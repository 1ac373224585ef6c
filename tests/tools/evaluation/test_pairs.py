"""What a tier and the teacher are asked, cut out of a data set."""

from dataclasses import replace

import numpy as np
import pytest

from edge_daemon.inference.bundle import TierSpec
from edge_daemon.inference.manifest import Inputs
from edge_daemon.tier import TIERS, Tier
from tools.dataset import Dataset
from tools.evaluation.answers import pairs_for, tensor
from tools.evaluation.teacher import SENSES, deprived, teacher_pairs
from tools.generated import generated
from tools.tiers import AUDIO_SPECS, IMAGE_SPECS


def spec(tier: Tier) -> TierSpec:
    inputs = Inputs(IMAGE_SPECS[tier], AUDIO_SPECS[tier])
    return TierSpec(f"{tier}.tflite", "0" * 64, 1, inputs, "logits", 1)


@pytest.fixture
def dataset() -> Dataset:
    """Four pictures, of which the last two go with sounds of no recording."""
    made = generated(110, seed=4)
    return replace(made, pairs=np.array([7, 2, *np.flatnonzero(made.sounds.clips < 0)[:2]]))


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_asked_what_its_manifest_says(tier: Tier) -> None:
    dataset = generated(110, seed=4)
    pairs = pairs_for(spec(tier), dataset)
    wanted, audio = IMAGE_SPECS[tier], AUDIO_SPECS[tier]
    assert pairs.images.shape == (110, wanted.height, wanted.width)
    assert np.array_equal(pairs.labels, dataset.pictures.labels) and len(pairs) == 110
    if audio is None:
        assert pairs.sounds is None
        assert np.array_equal(pairs.groups, np.arange(110))
        return
    assert pairs.sounds is not None
    heard = dataset.sounds.columns[dataset.pairs]
    assert np.array_equal(pairs.sounds, heard[:, : audio.columns])
    assert np.array_equal(pairs.groups, dataset.sounds.clips[dataset.pairs])


def test_pictures_without_a_recording_are_groups_of_their_own(dataset: Dataset) -> None:
    for pairs in (pairs_for(spec(Tier.HIGH), dataset), teacher_pairs(dataset)):
        clips = dataset.sounds.clips
        assert pairs.groups[:2].tolist() == [clips[7], clips[2]]
        assert len(set(pairs.groups.tolist())) == 4
        assert not set(pairs.groups[2:].tolist()) & set(clips[clips >= 0].tolist())


def test_the_teacher_sees_the_larger_picture_and_hears_the_whole_sound() -> None:
    dataset = generated(30, seed=4)
    pairs = teacher_pairs(dataset)
    assert np.array_equal(pairs.images, dataset.pictures.images28)
    assert pairs.sounds is not None
    assert np.array_equal(pairs.sounds, dataset.sounds.columns[dataset.pairs])
    assert np.array_equal(pairs.labels, dataset.pictures.labels)


def test_a_sense_alone_is_left_by_taking_the_other_away() -> None:
    pairs = teacher_pairs(generated(30, seed=4))
    blackened = {}
    for sense, without in SENSES.items():
        some = deprived(pairs, without)
        assert some.sounds is not None and pairs.sounds is not None
        blackened[sense] = (not some.images.any(), not some.sounds.any())
        for after, before in ((some.images, pairs.images), (some.sounds, pairs.sounds)):
            assert after.shape == before.shape
            assert not after.any() or np.array_equal(after, before)
        assert np.array_equal(some.labels, pairs.labels)
    assert blackened == {
        "teacher": (False, False),
        "teacher-visual": (False, True),
        "teacher-audio": (True, False),
    }


def test_a_tensor_has_the_models_layout_and_scale() -> None:
    values = np.arange(6, dtype=np.uint8).reshape(2, 3) * 51
    found = tensor(values)
    assert found.shape == (1, 2, 3, 1) and found.dtype == np.float32
    np.testing.assert_allclose(found[0, :, :, 0], [[0.0, 0.2, 0.4], [0.6, 0.8, 1.0]], rtol=1e-6)
