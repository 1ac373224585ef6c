from itertools import pairwise

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_daemon.features.aggregate import aggregate, statistic_names
from edge_daemon.features.spec import SensorSpec

SPEC = SensorSpec(
    rate_hz=64.0,
    axes=3,
    window=128,
    hop=32,
    bands_hz=(0.5, 1.5, 3.5, 8.0, 32.0),
    components=6,
)


def noise(count: int = 5, spec: SensorSpec = SPEC) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    values = random.normal((1.0, -9.81, 0.2), (0.1, 2.0, 30.0), (count, spec.window, 3))
    return values[:, :, : spec.axes].astype(np.float32)


def described(window: NDArray[np.floating], spec: SensorSpec = SPEC) -> dict[str, float]:
    (values,) = aggregate(window[None].astype(np.float32), spec)
    return dict(zip(statistic_names(spec), values.tolist(), strict=True))


def sines(*frequencies_hz: float, amplitude: float = 2.0) -> NDArray[np.float64]:
    seconds = np.arange(SPEC.window) / SPEC.rate_hz
    return amplitude * np.sin(2 * np.pi * np.outer(seconds, frequencies_hz) + 0.1)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_names_and_numbers_belong_together(axes: int) -> None:
    spec = replace(SPEC, axes=axes)
    assert len(set(statistic_names(spec))) == spec.statistics
    statistics = aggregate(noise(4, spec), spec)
    assert statistics.shape == (4, spec.statistics)
    assert statistics.dtype == np.float32


def test_equals_scipy() -> None:
    for window in noise():
        found = described(window)
        values = window.astype(np.float64)
        summary = scipy.stats.describe(values, ddof=0)
        frequencies_hz, density = scipy.signal.periodogram(
            values, SPEC.rate_hz, detrend="constant", axis=0
        )
        for axis in range(3):
            one = values[:, axis]
            expected = {
                "mean": summary.mean[axis],
                "deviation": summary.variance[axis] ** 0.5,
                "lowest": summary.minmax[0][axis],
                "highest": summary.minmax[1][axis],
                "rms": np.linalg.norm(one) / len(one) ** 0.5,
                "absolute deviation": scipy.stats.tmean(np.abs(one - one.mean())),
                "jerk": sum(abs(b - a) for a, b in pairwise(one.tolist())) * 64.0 / 127,
            }
            for low_hz, high_hz in ((0.5, 1.5), (1.5, 3.5), (3.5, 8.0), (8.0, 32.001)):
                inside = (frequencies_hz >= low_hz) & (frequencies_hz < high_hz)
                power = density[inside, axis].sum() * frequencies_hz[1]
                expected[f"{low_hz:g} to {min(high_hz, 32.0):g} Hz"] = power**0.5
            for name, value in expected.items():
                assert found[f"{name} {axis}"] == pytest.approx(value, rel=1e-5), name
            for other in range(axis):
                pearson = scipy.stats.pearsonr(values[:, other], one).statistic
                assert found[f"correlation {other} {axis}"] == pytest.approx(pearson, abs=1e-6)


def test_a_sine_is_known() -> None:
    window = sines(2.0, 5.0, 12.0)
    window[:, 1] += 3.0
    found = described(window)
    root = 2.0**0.5
    bands = ["0.5 to 1.5 Hz", "1.5 to 3.5 Hz", "3.5 to 8 Hz", "8 to 32 Hz"]
    for axis, frequency_hz in enumerate((2.0, 5.0, 12.0)):
        assert found[f"deviation {axis}"] == pytest.approx(root, rel=1e-6)
        assert found[f"absolute deviation {axis}"] == pytest.approx(4.0 / np.pi, rel=0.02)
        # Two a period, and none lost but at the window's ends.
        assert found[f"crossings {axis}"] == pytest.approx(2.0 * frequency_hz, abs=0.6)
        # Its slope's mean is four amplitudes a period.
        assert found[f"jerk {axis}"] == pytest.approx(8.0 * frequency_hz, rel=0.08)
        for band, name in enumerate(bands):
            expected = root if band == axis + 1 else 0.0
            assert found[f"{name} {axis}"] == pytest.approx(expected, abs=1e-5)
    assert found["rms 0"] == pytest.approx(root, rel=1e-6)
    assert found["rms 1"] == pytest.approx((9.0 + 2.0) ** 0.5, rel=1e-6)
    assert found["mean 1"] == pytest.approx(3.0, rel=1e-6)
    # Sines of whole periods are orthogonal.
    for pair in ("0 1", "0 2", "1 2"):
        assert found[f"correlation {pair}"] == pytest.approx(0.0, abs=1e-6)


def test_bands_that_cover_everything_add_up_to_the_variance() -> None:
    spec = replace(SPEC, bands_hz=(0.0, 4.0, 20.0, 32.0))
    for window in noise():
        found = described(window, spec)
        for axis in range(3):
            squares = [
                found[f"{name} {axis}"] ** 2 for name in ("0 to 4 Hz", "4 to 20 Hz", "20 to 32 Hz")
            ]
            assert sum(squares) == pytest.approx(found[f"deviation {axis}"] ** 2, rel=1e-5)


@pytest.mark.parametrize("window", [127, 128])
def test_the_highest_frequency_counts_once(window: int) -> None:
    spec = replace(SPEC, window=window, axes=1, bands_hz=(0.0, 32.0))
    found = described(noise(1, spec)[0], spec)
    assert found["0 to 32 Hz 0"] == pytest.approx(found["deviation 0"], rel=1e-5)


def test_correlation_of_axes_that_go_together() -> None:
    course = sines(3.0)[:, 0]
    found = described(np.stack([course, 5.0 * course + 1.0, -0.1 * course], axis=1))
    assert found["correlation 0 1"] == pytest.approx(1.0, abs=1e-6)
    assert found["correlation 0 2"] == pytest.approx(-1.0, abs=1e-6)
    assert found["correlation 1 2"] == pytest.approx(-1.0, abs=1e-6)


def test_an_axis_that_stands_still() -> None:
    window = sines(2.0, 5.0, 2.0)
    window[:, 1] = -9.81
    found = described(window)
    still = ("deviation 1", "absolute deviation 1", "jerk 1", "crossings 1", "3.5 to 8 Hz 1")
    assert [found[name] for name in still] == [0.0] * len(still)
    assert found["mean 1"] == found["lowest 1"] == found["highest 1"] == np.float32(-9.81)
    assert found["rms 1"] == pytest.approx(9.81)
    assert found["correlation 0 1"] == found["correlation 1 2"] == 0.0
    assert found["correlation 0 2"] == pytest.approx(1.0, abs=1e-6)


def test_flicker_of_the_last_bit_correlates_with_nothing() -> None:
    window = sines(2.0, 5.0, 7.0).astype(np.float32)
    window[:, 1] = np.where(window[:, 0] > 0.0, np.float32(4.0), np.nextafter(np.float32(4.0), 5.0))
    found = described(window)
    assert 0.0 < found["deviation 1"] < 1e-6
    assert found["correlation 0 1"] == found["correlation 1 2"] == 0.0


def test_magnitude_area() -> None:
    window = np.tile([1.0, -2.0, 3.0], (SPEC.window, 1))
    assert described(window)["magnitude area"] == 6.0
    window[::2] *= -1.0
    assert described(window)["magnitude area"] == 6.0


def test_slight_movement_on_top_of_gravity_is_not_lost() -> None:
    found = described(1e-3 * sines(2.0, 2.0, 2.0) + 1000.0)
    # float32 holds steps of 6e-5 at 1000.
    assert found["deviation 2"] == pytest.approx(1e-3 * 2.0**0.5, rel=0.03)
    assert found["1.5 to 3.5 Hz 2"] == pytest.approx(1e-3 * 2.0**0.5, rel=0.03)


def test_no_window_at_all() -> None:
    assert aggregate(noise(0), SPEC).shape == (0, SPEC.statistics)


def test_the_input_is_left_alone() -> None:
    windows = noise()
    before = windows.copy()
    aggregate(windows, SPEC)
    np.testing.assert_array_equal(windows, before)
