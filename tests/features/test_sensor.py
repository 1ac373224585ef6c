import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from edge_daemon.features.aggregate import aggregate
from edge_daemon.features.projection import Projection
from edge_daemon.features.sensor import SensorFeatures, mend, sensor_tensors, sensor_windows
from edge_daemon.features.spec import SensorSpec

SPEC = SensorSpec(rate_hz=50.0, axes=3, window=32, hop=8, bands_hz=(0.5, 4.0, 25.0), components=5)
NAN, INF = np.nan, np.inf


def movement(count: int, seed: int = 0, axes: int = 3) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    drift = np.cumsum(random.normal(0.0, 0.3, (count, axes)), axis=0)
    return (drift + random.normal(0.0, 1.0, (count, axes))).astype(np.float32)


def projection(spec: SensorSpec = SPEC) -> Projection:
    random = np.random.default_rng(1)
    return Projection(
        np.zeros(spec.statistics, np.float32),
        random.normal(0.0, 0.1, (spec.components, spec.statistics)).astype(np.float32),
        np.full(spec.components, -4.0, np.float32),
        np.full(spec.components, 4.0, np.float32),
    )


def test_windows_are_cut_every_hop() -> None:
    samples = movement(100)
    windows = sensor_windows(samples, SPEC)
    assert windows.shape == (9, 32, 3)
    for number, window in enumerate(windows):
        np.testing.assert_array_equal(window, samples[8 * number : 8 * number + 32])


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (31, 0), (32, 1), (39, 1), (40, 2)])
def test_short_recordings(count: int, expected: int) -> None:
    tensors = sensor_tensors(movement(count), SPEC, projection())
    assert tensors.shape == (expected, 5)
    assert tensors.dtype == np.float32


def test_a_tensor_is_the_projected_statistics() -> None:
    samples = movement(32)
    stream = SensorFeatures(SPEC, projection())
    assert stream.push(samples) == 1
    tensor = stream.tensor()
    assert tensor is not None and tensor.shape == (1, 5) and tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor, projection()(aggregate(samples[None], SPEC)))
    # Neither all clipped nor all alike, or the tests below would show nothing.
    assert ((tensor > 0.0) & (tensor < 1.0)).any() and tensor.std() > 0.01


@given(
    sizes=st.lists(st.integers(0, 90), min_size=1, max_size=10),
    hop=st.sampled_from([1, 8, 32, 45]),
    broken=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2)), max_size=6),
)
def test_streaming_equals_the_whole_clip_for_any_chunking(
    sizes: list[int], hop: int, broken: list[tuple[int, int]]
) -> None:
    spec = replace(SPEC, hop=hop)
    samples = movement(sum(sizes), seed=sum(sizes))
    for row, axis in broken:
        if row < len(samples):
            samples[row, axis] = (NAN, INF, -INF, 1e30)[row % 4]
    whole = sensor_tensors(samples, spec, projection())
    stream = SensorFeatures(spec, projection())
    position = 0
    for size in sizes:
        before = stream.windows_seen
        assert stream.push(samples[position : position + size]) == stream.windows_seen - before
        position += size
        assert stream.windows_seen == len(range(0, position - spec.window + 1, hop))
        tensor = stream.tensor()
        if stream.windows_seen == 0:
            assert tensor is None
        else:
            assert tensor is not None
            np.testing.assert_allclose(tensor[0], whole[stream.windows_seen - 1], atol=1e-6)


def test_broken_values_hold_the_last_of_their_axis() -> None:
    samples = np.array(
        [[NAN, 1, 2], [3, INF, -1e30], [NAN, NAN, 5], [NAN, 6, -INF], [7, 8, 9]], np.float32
    )
    last = np.array([-1, -2, -3], np.float32)
    expected = [[-1, 1, 2], [3, 1, 2], [3, 1, 5], [3, 6, 5], [7, 8, 9]]
    np.testing.assert_array_equal(mend(samples, last), expected)


def test_a_value_held_outlives_its_window() -> None:
    stream = SensorFeatures(SPEC, projection())
    stream.push(np.full((1, 3), 2.5, np.float32))
    for _ in range(20):
        stream.push(np.full((11, 3), NAN, np.float32))
    still = np.full((32, 3), 2.5, np.float32)
    tensor = stream.tensor()
    assert tensor is not None
    np.testing.assert_array_equal(tensor, sensor_tensors(still, SPEC, projection()))


@pytest.mark.parametrize("value", [0.0, -9.81, NAN, INF, -1e30, 9.9e8])
def test_constant_input_is_safe(value: float) -> None:
    tensors = sensor_tensors(np.full((64, 3), value, np.float32), SPEC, projection())
    assert np.isfinite(tensors).all()
    assert tensors.min() >= 0.0 and tensors.max() <= 1.0


def test_a_reset_forgets_everything() -> None:
    stream = SensorFeatures(SPEC, projection())
    stream.push(movement(50, seed=1))
    stream.reset()
    assert (stream.windows_seen, stream.tensor()) == (0, None)
    samples = movement(36, seed=2)
    samples[0] = NAN  # which holds nothing of what was before
    assert stream.push(samples) == 1
    tensor = stream.tensor()
    assert tensor is not None
    np.testing.assert_array_equal(tensor, sensor_tensors(samples, SPEC, projection()))


def test_one_axis_is_enough() -> None:
    spec = replace(SPEC, axes=1)
    assert sensor_tensors(movement(64, axes=1), spec, projection(spec)).shape == (5, 5)


@pytest.mark.parametrize("shape", [(10,), (10, 2), (3, 10), (1, 10, 3)])
def test_samples_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    samples = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=r"\[n, 3\] is needed"):
        sensor_windows(samples, SPEC)
    with pytest.raises(ValueError, match=r"\[n, 3\] is needed"):
        SensorFeatures(SPEC, projection()).push(samples)


def test_a_projection_for_another_spec_is_refused() -> None:
    with pytest.raises(ValueError, match="fit it to this spec"):
        SensorFeatures(replace(SPEC, components=4), projection())
    with pytest.raises(ValueError, match="fit it to this spec"):
        SensorFeatures(replace(SPEC, axes=2), projection())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands_hz": (1.0,)}, "bands_hz: needs two or more rising edges from 0 to 25"),
        ({"bands_hz": (1.0, 1.0)}, "bands_hz"),
        ({"bands_hz": (-1.0, 3.0)}, "bands_hz"),
        ({"bands_hz": (1.0, 25.1)}, "bands_hz"),
        ({"bands_hz": (1.0, NAN)}, "bands_hz"),
        ({"components": 35}, "components: at most the 34 statistics"),
        ({"rate_hz": 0.0}, r"> 0.0.*rate_hz"),
        ({"window": 3}, r">= 4.*window"),
        ({"hop": 0}, r">= 1.*hop"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(changes: dict[str, object], message: str) -> None:
    document = asdict(SPEC)
    assert msgspec.convert(document, SensorSpec) == SPEC
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({**document, **changes}, SensorSpec)
