import numpy as np
import pytest

from edge_daemon.capture.picture import Pose, Region

IMAGE = np.arange(6, dtype=np.uint8).reshape(2, 3)
"""[[0, 1, 2],
    [3, 4, 5]]"""


@pytest.mark.parametrize(
    ("rotate_deg", "expected"),
    [
        (0, [[0, 1, 2], [3, 4, 5]]),
        (90, [[3, 0], [4, 1], [5, 2]]),
        (180, [[5, 4, 3], [2, 1, 0]]),
        (270, [[2, 5], [1, 4], [0, 3]]),
    ],
)
def test_rotates_clockwise(rotate_deg: int, expected: list[list[int]]) -> None:
    upright = Pose(rotate_deg).apply(IMAGE)
    assert upright.tolist() == expected
    assert upright.flags.c_contiguous


def test_a_whole_upright_picture_is_not_copied() -> None:
    assert Pose().apply(IMAGE) is IMAGE


def test_the_region_is_cut_from_the_rotated_picture() -> None:
    image = np.zeros((100, 200, 3), dtype=np.uint8)
    image[:25, :50] = 255  # upper left; after a quarter turn, upper right
    part = Pose(90, Region(0.75, 0.0, 0.25, 0.25)).apply(image)
    assert part.shape == (50, 25, 3)
    assert part.min() == 255


def test_a_tiny_region_keeps_a_pixel() -> None:
    assert Pose(0, Region(0.5, 0.5, 0.001, 0.001)).apply(IMAGE).shape == (1, 1)


def test_refuses_other_angles() -> None:
    with pytest.raises(ValueError, match="not 45"):
        Pose(45)


@pytest.mark.parametrize(
    "region",
    [(0.5, 0, 0.6, 1), (0, 0, 0, 1), (-0.1, 0, 0.5, 1), (0, 0, float("nan"), 1), (0, 0.9, 1, 0.2)],
)
def test_refuses_regions_outside_the_picture(region: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="region"):
        Pose(0, Region(*region))
