import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.features.image import ImageFeatures
from edge_daemon.features.spec import ImageSpec
from tools.dataset.drawn import draw_digit
from tools.dataset.photograph import blank_sheet, photograph

FEATURES = ImageFeatures(ImageSpec(28, 28))


def bar() -> NDArray[np.uint8]:
    digit = np.zeros((28, 28), dtype=np.uint8)
    digit[4:24, 12:16] = 255
    return digit


def test_photographs_are_dark_on_light_and_all_different() -> None:
    shots = [photograph(bar(), np.random.default_rng(seed)) for seed in range(40)]
    assert {len(shot) for shot in shots} == {96, 112, 128, 144, 160}
    assert all(shot.shape == (len(shot), len(shot)) and shot.dtype == np.uint8 for shot in shots)
    assert len({shot.tobytes() for shot in shots}) == 40
    darker = [np.quantile(shot, 0.02) < 0.8 * np.median(shot) for shot in shots]
    assert np.mean(darker) > 0.9


def test_a_seed_gives_the_same_photograph() -> None:
    first, second = (photograph(bar(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_features_find_the_digit_again() -> None:
    seen = [FEATURES.picture(photograph(bar(), np.random.default_rng(seed))) for seed in range(150)]
    found = [picture for picture in seen if picture.any()]
    assert len(found) >= 145
    upright = 0
    for picture in found:
        rows, columns = np.nonzero(picture > 96)
        upright += bool(np.ptp(rows) > 1.5 * np.ptp(columns))
    assert upright / len(found) > 0.9


def test_a_blank_sheet_is_black_to_the_features() -> None:
    empty = [
        not FEATURES.picture(blank_sheet(np.random.default_rng(seed))).any() for seed in range(150)
    ]
    assert np.mean(empty) > 0.95


@pytest.mark.parametrize("label", range(10))
def test_drawn_digits_have_mnists_proportions(label: int) -> None:
    for seed in range(8):
        digit = draw_digit(label, np.random.default_rng((label, seed)))
        assert digit.shape == (28, 28)
        assert digit.dtype == np.uint8
        assert digit.max() > 200
        rows, columns = np.nonzero(digit)
        longer = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 18 <= longer <= 21
        weights = digit / digit.sum(dtype=np.float64)
        assert abs((weights.sum(axis=1) * np.arange(28)).sum() - 13.5) < 1.0
