import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.features.ink import Box, drawing, fit_ink, ink

SIDE = 120


def paper(low: float = 220.0, high: float = 220.0, noise: float = 2.0) -> NDArray[np.float32]:
    """A sheet, brighter to the right, float32 [120, 120]."""
    light = np.linspace(low, high, SIDE, dtype=np.float32)
    return light + np.random.default_rng(0).normal(0, noise, (SIDE, SIDE)).astype(np.float32)


def shot(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def stroke_mask(*points: tuple[int, int], width: int = 8) -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    cv2.polylines(mask, [np.array(points, dtype=np.int32)], False, 1, width)
    return mask.astype(bool)


SEVEN = stroke_mask((40, 35), (80, 35), (55, 90))


@pytest.mark.parametrize(("low", "high"), [(220, 220), (60, 240), (240, 90), (50, 55)])
def test_strokes_are_white_and_paper_black_whatever_the_light(low: float, high: float) -> None:
    picture = paper(low, high)
    picture[SEVEN] *= 0.3
    strokes = ink(shot(picture))
    inner = cv2.erode(SEVEN.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    outer = cv2.dilate(SEVEN.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert strokes[inner].min() >= 200
    inside = np.zeros_like(outer)
    inside[15:-15, 15:-15] = True
    assert not strokes[inside & ~outer].any()


@pytest.mark.parametrize("contrast", [0.15, 0.4, 0.7])
def test_the_darkness_of_the_pen_does_not_matter(contrast: float) -> None:
    picture = paper(noise=1.0)
    picture[SEVEN] *= contrast
    strokes = ink(shot(picture))
    assert np.median(strokes[SEVEN]) == 255


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.06])
@pytest.mark.parametrize("light", [10.0, 30.0, 120.0, 220.0])
def test_blank_paper_gives_nothing(light: float, noise: float) -> None:
    assert not ink(shot(paper(light, 1.1 * light, light * noise))).any()


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_a_covered_or_dazzled_lens_gives_nothing(value: int) -> None:
    assert not ink(np.full((SIDE, SIDE), value, dtype=np.uint8)).any()


def test_a_soft_shadow_is_no_ink() -> None:
    picture = paper(noise=1.0)
    edge = np.clip((np.arange(SIDE) - 50) / 20, 0, 1).astype(np.float32)
    picture *= 1 - 0.4 * edge
    picture[SEVEN] *= 0.3
    strokes = ink(shot(picture))
    outer = cv2.dilate(SEVEN.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert strokes[~outer].max() < 96


def test_the_drawing_is_boxed() -> None:
    box = drawing(SEVEN.astype(np.uint8) * np.uint8(255))
    rows, columns = np.flatnonzero(SEVEN.any(axis=1)), np.flatnonzero(SEVEN.any(axis=0))
    assert box is not None
    for found, exact in zip(box, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), strict=True):
        assert abs(found - exact) <= 4


def test_what_touches_the_border_is_not_the_drawing() -> None:
    finger = stroke_mask((0, 60), (25, 60), width=16)
    assert drawing(finger.astype(np.uint8) * np.uint8(255)) is None
    both = drawing((finger | SEVEN).astype(np.uint8) * np.uint8(255))
    assert both == drawing(SEVEN.astype(np.uint8) * np.uint8(255))


def test_a_frame_around_the_sheet_is_not_the_drawing() -> None:
    mask = SEVEN.copy()
    mask[:5] = mask[-5:] = mask[:, :5] = mask[:, -5:] = True
    assert drawing(mask.astype(np.uint8) * np.uint8(255)) == drawing(
        SEVEN.astype(np.uint8) * np.uint8(255)
    )


def test_dirt_is_not_the_drawing() -> None:
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    mask[20:24, 20:24] = 255
    assert drawing(mask) is None


def test_a_loose_stroke_close_by_belongs_to_the_drawing() -> None:
    body = stroke_mask((45, 50), (45, 90), (70, 90))
    bar = stroke_mask((48, 36), (80, 36), width=6)
    box = drawing((body | bar).astype(np.uint8) * np.uint8(255))
    assert box is not None
    assert box.top <= 34
    assert box.right >= 80


@pytest.mark.parametrize(("height", "width", "longer"), [(28, 28, 20), (14, 14, 10), (56, 56, 40)])
def test_the_drawing_has_mnists_proportions(height: int, width: int, longer: int) -> None:
    strokes = np.zeros((SIDE, SIDE), dtype=np.uint8)
    strokes[10:90, 70:100] = 255
    fitted = fit_ink(strokes, Box(70, 10, 100, 90), height, width)
    assert fitted.shape == (height, width)
    rows, columns = np.flatnonzero(fitted.any(axis=1)), np.flatnonzero(fitted.any(axis=0))
    assert abs(rows[-1] - rows[0] + 1 - longer) <= 1
    weights = fitted.astype(np.float64)
    centre_row = (weights.sum(axis=1) * np.arange(height)).sum() / weights.sum()
    centre_column = (weights.sum(axis=0) * np.arange(width)).sum() / weights.sum()
    assert abs(centre_row - (height - 1) / 2) <= 0.5
    assert abs(centre_column - (width - 1) / 2) <= 0.5
    assert columns[-1] - columns[0] + 1 < rows[-1] - rows[0] + 1


def test_mass_in_a_corner_does_not_push_the_drawing_out() -> None:
    strokes = np.zeros((SIDE, SIDE), dtype=np.uint8)
    strokes[10:110, 10:14] = 255
    strokes[10:30, 10:110] = 255
    fitted = fit_ink(strokes, Box(10, 10, 110, 110), 28, 28)
    ink_in = strokes.astype(np.float64).sum() * (20 / 100) ** 2
    assert fitted.astype(np.float64).sum() == pytest.approx(ink_in, rel=0.05)
