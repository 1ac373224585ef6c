"""Movement from recording to answer: made, reduced, learnt, converted, run by the daemon."""

import numpy as np
import pytest
import scipy.signal
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from edge_daemon.features.sensor import SensorFeatures, sensor_tensors, sensor_windows
from edge_daemon.features.spec import SensorSpec
from edge_daemon.inference.interpreter import Interpreter
from tools.export.flatbuffer import compact
from tools.export.graph import check_full_integer
from tools.export.lower import lower_network
from tools.export.quantise import quantise
from tools.networks.sensor import SensingStudent, SensorBranch
from tools.sensor.activities import ACTIVITIES, GRAVITY, recording
from tools.sensor.fit import fit_projection
from tools.training.calibration import fit_tau

SPEC = SensorSpec(
    rate_hz=50.0,
    axes=3,
    window=128,
    hop=64,
    bands_hz=(0.5, 1.5, 3.0, 8.0, 25.0),
    components=12,
)


def recordings(each: int, seed: int) -> list[tuple[int, NDArray[np.float32]]]:
    """Return `each` recordings of 8 seconds of every activity, with its label."""
    random = np.random.default_rng(seed)
    return [
        (label, recording(activity, 8.0, SPEC.rate_hz, random))
        for _ in range(each)
        for label, activity in enumerate(ACTIVITIES)
    ]


def strongest_hz(samples: NDArray[np.float32]) -> float:
    frequencies_hz, density = scipy.signal.periodogram(samples, 50.0, detrend="constant", axis=0)
    return float(frequencies_hz[density.sum(axis=1).argmax()])


@pytest.mark.parametrize("seed", range(10))
def test_recordings_are_what_they_are_called(seed: int) -> None:
    random = np.random.default_rng(seed)
    resting, walking, shaking = (recording(name, 8.0, 50.0, random) for name in ACTIVITIES)
    for samples in (resting, walking, shaking):
        assert samples.shape == (400, 3) and samples.dtype == np.float32
        assert np.linalg.norm(samples.mean(axis=0)) == pytest.approx(GRAVITY, abs=1.0)
    assert resting.std(axis=0).max() < 0.4
    assert strongest_hz(walking) == pytest.approx(2.0, abs=0.4)
    assert strongest_hz(shaking) == pytest.approx(5.0, abs=0.8)
    assert walking.var(axis=0).sum() > 1.5 and shaking.var(axis=0).sum() > 3.0


def test_an_unknown_activity_is_refused() -> None:
    with pytest.raises(ValueError, match="no activity flying; there are resting, walking, shaking"):
        recording("flying", 1.0, 50.0, np.random.default_rng(0))


def test_activities_are_told_apart_by_an_int8_model() -> None:
    torch.manual_seed(0)
    training = recordings(40, seed=1)
    cut = [sensor_windows(samples, SPEC) for _, samples in training]
    projection = fit_projection(np.concatenate(cut), SPEC)
    tensors = [sensor_tensors(samples, SPEC, projection) for _, samples in training]
    inputs = torch.from_numpy(np.concatenate(tensors))
    labels = torch.tensor(
        [label for (label, _), some in zip(training, tensors, strict=True) for _ in some]
    )
    branch = SensorBranch(SPEC.components, labels=len(ACTIVITIES))
    optimiser = torch.optim.AdamW(branch.parameters(), 1e-2)
    for _ in range(150):
        loss = F.cross_entropy(branch(inputs), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        network = SensingStudent(branch.eval(), fit_tau(branch(inputs), labels))
    model = lower_network(network.folded(), {"sensor": inputs[:1]})
    calibration = [{"sensor": row[None].numpy()} for row in inputs[:: len(inputs) // 100]]
    model = compact(quantise(model, calibration))
    assert check_full_integer(model).operators == ("FULLY_CONNECTED", "FULLY_CONNECTED")

    interpreter = Interpreter(model)
    sensor = interpreter.inputs["sensor"]
    assert (sensor.shape, sensor.dtype, sensor.zero_point) == ((1, 12), "int8", -128)
    right = agreed = count = 0
    for label, samples in recordings(20, seed=2):
        stream = SensorFeatures(SPEC, projection)
        for first in range(0, len(samples), 25):  # half a second at a time
            if not stream.push(samples[first : first + 25]):
                continue
            tensor = stream.tensor()
            assert tensor is not None
            answer = interpreter.run({"sensor": tensor})["logits"].argmax()
            with torch.no_grad():
                said = network(torch.from_numpy(tensor)).argmax()
            count += 1
            right += answer == label
            agreed += answer == said
    assert count == 20 * 3 * 5
    assert right > 0.95 * count
    assert agreed > 0.98 * count
