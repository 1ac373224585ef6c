import importlib

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.features.aggregate import aggregate, statistic_names
from edge_daemon.features.sensor import sensor_windows
from edge_daemon.features.spec import SensorSpec
from tools.sensor.activities import ACTIVITIES, recording
from tools.sensor.fit import WITHIN, fit_projection

SPEC = SensorSpec(
    rate_hz=50.0, axes=3, window=64, hop=32, bands_hz=(0.5, 3.0, 8.0, 25.0), components=7
)


def windows(each: int = 15, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    recordings = [recording(name, 6.0, 50.0, random) for name in ACTIVITIES for _ in range(each)]
    return np.concatenate([sensor_windows(samples, SPEC) for samples in recordings])


def test_components_are_those_of_scikit_learn() -> None:
    decomposition = importlib.import_module("sklearn.decomposition")
    preprocessing = importlib.import_module("sklearn.preprocessing")
    fitted = fit_projection(windows(), SPEC)
    statistics = aggregate(windows(), SPEC).astype(np.float64)
    scaler = preprocessing.StandardScaler().fit(statistics)
    pca = decomposition.PCA(SPEC.components).fit(scaler.transform(statistics))
    others = aggregate(windows(seed=1), SPEC)
    ours, theirs = fitted.along(others), pca.transform(scaler.transform(others))
    # A direction has two signs; ours is that of its largest weight.
    theirs *= np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    largest = np.abs(fitted.axes * scaler.scale_).argmax(axis=1)
    assert (fitted.axes[np.arange(SPEC.components), largest] > 0.0).all()
    assert SPEC.components < SPEC.statistics


def test_training_windows_fill_the_range() -> None:
    tensors = fit_projection(windows(), SPEC)(aggregate(windows(), SPEC))
    for column in tensors.T:
        assert np.mean(column == 0.0) == pytest.approx(WITHIN[0], abs=0.005)
        assert np.mean(column == 1.0) == pytest.approx(1.0 - WITHIN[1], abs=0.005)


def test_a_statistic_that_never_changes_has_no_weight() -> None:
    still = windows().copy()
    still[:, :, 1] = 4.0
    still[::2, :, 1] = np.nextafter(np.float32(4.0), 5.0)  # the last bit is no change
    fitted = fit_projection(still, SPEC)
    names = statistic_names(SPEC)
    constant = [names.index(name) for name in ("mean 1", "deviation 1", "jerk 1", "highest 1")]
    constant.append(names.index("correlation 0 1"))
    np.testing.assert_array_equal(fitted.axes[:, constant], 0.0)
    assert np.abs(fitted.axes[:, names.index("mean 0")]).max() > 0.0


def test_the_order_of_the_windows_changes_nothing() -> None:
    some = windows()
    shuffled = some[np.random.default_rng(0).permutation(len(some))]
    one, other = fit_projection(some, SPEC), fit_projection(shuffled, SPEC)
    for name, value in vars(one).items():
        np.testing.assert_allclose(value, getattr(other, name), atol=1e-4, err_msg=name)


def test_too_little_to_fit_to() -> None:
    with pytest.raises(ValueError, match="7 windows are too few for 7 components"):
        fit_projection(windows()[:7], SPEC)
    with pytest.raises(ValueError, match="fewer than 7 directions"):
        fit_projection(np.repeat(windows()[:3], 10, axis=0), SPEC)
    with pytest.raises(ValueError, match="fewer than 7 directions"):
        fit_projection(np.ones((20, 64, 3), np.float32), SPEC)
