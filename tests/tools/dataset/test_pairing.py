import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.dataset.folders import DatasetError
from tools.dataset.pairing import pair

PICTURES = np.repeat(np.arange(10), 30).astype(np.uint8)
SOUNDS = np.concatenate([np.tile(np.arange(10), 7), np.full(9, -1)]).astype(np.int8)


def test_labels_agree() -> None:
    pairs = pair(PICTURES, SOUNDS, seed=0)
    np.testing.assert_array_equal(SOUNDS[pairs], PICTURES)


def test_a_seed_freezes_the_pairs() -> None:
    np.testing.assert_array_equal(pair(PICTURES, SOUNDS, 5), pair(PICTURES, SOUNDS, 5))
    assert (pair(PICTURES, SOUNDS, (5, 0)) != pair(PICTURES, SOUNDS, (5, 1))).any()


def test_sounds_are_used_evenly() -> None:
    uses = np.bincount(pair(PICTURES, SOUNDS, 0), minlength=len(SOUNDS))[SOUNDS >= 0]
    assert uses.min() == 30 // 7
    assert uses.max() == 30 // 7 + 1


def test_a_share_hears_no_word() -> None:
    pairs = pair(PICTURES, SOUNDS, 0, wordless=0.25)
    silent = SOUNDS[pairs] < 0
    assert 0.15 < silent.mean() < 0.35
    np.testing.assert_array_equal(SOUNDS[pairs][~silent], PICTURES[~silent])


def test_a_label_without_sounds_is_named() -> None:
    with pytest.raises(DatasetError, match="no sound for label 7"):
        pair(PICTURES, SOUNDS[SOUNDS != 7], 0)


@given(
    pictures=st.lists(st.integers(0, 3), max_size=40),
    extra=st.lists(st.integers(-1, 3), max_size=20),
    seed=st.integers(0, 100),
)
def test_any_labels_can_be_paired(pictures: list[int], extra: list[int], seed: int) -> None:
    sounds = np.array([0, 1, 2, 3, *extra], dtype=np.int8)
    labels = np.array(pictures, dtype=np.uint8)
    np.testing.assert_array_equal(sounds[pair(labels, sounds, seed)], labels)
