import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.features.projection import Projection


def array(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


PROJECTION = Projection(
    mean=array(1.0, 2.0, 3.0),
    axes=np.array([[1.0, 0.0, 0.0], [0.0, 0.5, -0.5]], np.float32),
    low=array(-2.0, 0.0),
    high=array(2.0, 0.5),
)


def test_by_hand() -> None:
    statistics = np.array([[1.0, 2.0, 3.0], [2.0, 2.5, 3.0]], np.float32)
    np.testing.assert_allclose(PROJECTION.along(statistics), [[0.0, 0.0], [1.0, 0.25]])
    tensors = PROJECTION(statistics)
    assert tensors.dtype == np.float32
    np.testing.assert_allclose(tensors, [[0.5, 0.0], [0.75, 0.5]])


def test_what_lies_outside_is_clipped() -> None:
    far = np.array([[9.0, 9.0, 3.0], [-9.0, -9.0, 3.0], [np.nan, 2.0, np.nan]], np.float32)
    np.testing.assert_array_equal(PROJECTION(far), [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])


def test_the_input_is_left_alone() -> None:
    statistics = np.ones((2, 3), np.float32)
    PROJECTION(statistics)
    np.testing.assert_array_equal(statistics, 1.0)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("mean", array(1.0, 2.0), r"mean has the shape \(2,\)"),
        ("axes", array(1.0, 2.0, 3.0), r"axes has the shape \(3,\)"),
        ("axes", np.zeros((0, 3), np.float32), "axes has the shape"),
        ("low", array(0.0), r"low has the shape \(1,\)"),
        ("high", array(1.0, 1.0, 1.0), r"high has the shape \(3,\)"),
        ("mean", array(1.0, np.nan, 3.0), "mean has numbers that are not finite"),
        ("high", array(2.0, 0.0), "high must be above low"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: NDArray[np.float32], message: str) -> None:
    arrays = {**vars(PROJECTION), name: value}
    with pytest.raises(ValueError, match=message):
        Projection(**arrays)
