import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_daemon.features.image import ImageFeatures, centred, grey, reduce, shrink, work_px
from edge_daemon.features.spec import ImageSpec

LIVE = ImageSpec(28, 28)
PLAIN = ImageSpec(28, 28, contrast="none")


def page(
    shift: tuple[int, int] = (0, 0), scale: float = 1.0, light: float = 0.0
) -> NDArray[np.uint8]:
    """A 7 in dark blue on a 640×480 page, BGR; light falls off to the left."""
    picture = np.full((480, 640, 3), (225.0, 232.0, 230.0), dtype=np.float32)
    points = np.array([(-70, -110), (70, -110), (-20, 110)]) * scale + (320, 240) + shift
    cv2.polylines(picture, [points.astype(np.int32)], False, (90, 40, 30), round(26 * scale))
    picture *= (1 - light * np.linspace(1, 0, 640, dtype=np.float32))[:, None]
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def test_position_size_and_light_hardly_matter() -> None:
    features = ImageFeatures(LIVE)
    expected = features(page())
    assert expected.shape == (1, 28, 28, 1)
    assert expected.dtype == np.float32
    assert expected.max() == pytest.approx(1.0, abs=0.01)
    for other in (page((60, -40)), page((-50, 20), 0.6), page(scale=1.5), page(light=0.7)):
        assert overlap(features(other), expected) > 0.9


def test_the_whole_frame_keeps_position_and_size() -> None:
    features = ImageFeatures(ImageSpec(28, 28, fit="frame"))
    picture = features.picture(page((60, -40)))
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    # 480 pixels become 28, the square begins at column 80.
    assert abs((rows[0] + rows[-1] + 1) / 2 - (240 - 40) * 28 / 480) <= 1.0
    assert abs((columns[0] + columns[-1] + 1) / 2 - (320 + 60 - 80) * 28 / 480) <= 1.0


def test_blank_paper_is_black() -> None:
    blank = np.random.default_rng(0).normal(200, 6, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    assert not ImageFeatures(LIVE)(blank).any()


def test_critical_sees_the_same_at_half_the_size() -> None:
    large = ImageFeatures(LIVE)(page())[0, :, :, 0]
    small = ImageFeatures(ImageSpec(14, 14))(page())[0, :, :, 0]
    halved = large.reshape(14, 2, 14, 2).mean(axis=(1, 3))
    assert overlap(small, halved.astype(np.float32)) > 0.97


def test_an_mnist_picture_passes_through() -> None:
    digit = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    tensor = ImageFeatures(PLAIN)(digit)
    np.testing.assert_allclose(tensor[0, :, :, 0], digit / 255.0, atol=1e-6)
    small = ImageFeatures(ImageSpec(14, 14, contrast="none")).picture(digit)
    exact = digit.reshape(14, 2, 14, 2).mean(axis=(1, 3))
    assert np.abs(small - exact).max() <= 0.5


def test_range_says_what_black_and_white_become() -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[:, 14:] = 255
    tensor = ImageFeatures(ImageSpec(28, 28, contrast="none", range=(-1.0, 1.0)))(picture)
    np.testing.assert_allclose(tensor[0, :, :14, 0], -1.0)
    np.testing.assert_allclose(tensor[0, :, 14:, 0], 1.0, atol=1e-6)


def test_grey_is_bt601_luma() -> None:
    bgr = np.zeros((1, 3, 3), dtype=np.uint8)
    bgr[0, 0, 0] = bgr[0, 1, 1] = bgr[0, 2, 2] = 200
    assert grey(bgr).tolist() == [[23, 117, 60]]


def test_grey_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(4, 4, 4\)"):
        grey(np.zeros((4, 4, 4), dtype=np.uint8))


def test_reduction_averages() -> None:
    gradient = np.add.outer(np.arange(200), np.arange(240)).astype(np.uint8) // np.uint8(2)
    halved = reduce(gradient, 60)
    assert halved.shape == (100, 120)
    exact = gradient.reshape(100, 2, 120, 2).mean(axis=(1, 3))
    assert np.abs(halved - exact).max() <= 1.0
    assert reduce(gradient, 101) is gradient


@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    aspect=st.floats(0.25, 4.0),
)
def test_the_centred_part_has_the_proportions(height: int, width: int, aspect: float) -> None:
    part = centred(np.zeros((height, width), dtype=np.uint8), aspect)
    rows, columns = part.shape
    assert rows == height or columns == width
    assert abs(columns - rows * aspect) <= 1.0 + aspect or min(rows, columns) == 1


@given(
    height=st.integers(1, 160),
    width=st.integers(1, 160),
    colour=st.booleans(),
    contrast=st.sampled_from(["none", "ink"]),
    fit=st.sampled_from(["frame", "ink"]),
    rows=st.integers(4, 40),
    columns=st.integers(4, 40),
    seed=st.integers(0, 50),
)
def test_any_picture_gives_the_tensor_of_the_spec(
    height: int,
    width: int,
    colour: bool,
    contrast: str,
    fit: str,
    rows: int,
    columns: int,
    seed: int,
) -> None:
    shape = (height, width, 3) if colour else (height, width)
    picture = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    picture.flags.writeable = False  # a frame is never written to again
    spec = ImageSpec(
        rows,
        columns,
        contrast="ink" if contrast == "ink" else "none",
        fit="ink" if fit == "ink" else "frame",
    )
    tensor = ImageFeatures(spec)(picture)
    assert tensor.shape == (1, rows, columns, 1)
    assert tensor.dtype == np.float32
    assert tensor.min() >= 0.0
    assert tensor.max() <= 1.0


@pytest.mark.parametrize("shape", [(28, 28), (14, 14), (28, 56), (56, 28), (28, 84)])
def test_a_picture_that_was_made_small_gives_the_same_tensor(shape: tuple[int, int]) -> None:
    spec = ImageSpec(*shape)
    picture = page(scale=0.5)
    small = shrink(picture, work_px([spec, LIVE]))
    assert small.size < picture.size / 2
    features = ImageFeatures(spec)
    assert np.abs(features(small) - features(picture)).max() < 0.02
    assert features(small).max() > 0.9
