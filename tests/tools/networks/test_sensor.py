import numpy as np
import torch

from edge_daemon.inference.interpreter import Interpreter
from tools.export.flatbuffer import compact
from tools.export.graph import check_full_integer
from tools.export.lower import lower_network
from tools.export.quantise import quantise
from tools.networks.sensor import SensingStudent, SensorBranch
from tools.networks.student import Student
from tools.networks.visual import VisualBranch


def seeing(tau: float = 1.7) -> Student:
    visual = VisualBranch(14, (8, 12), (2,), labels=5)
    torch.nn.init.zeros_(visual.head.bias)  # all that it says depends on the picture
    return Student(visual, None, False, torch.tensor(tau), None).eval()


def test_hidden_layers_are_as_wide_as_asked() -> None:
    torch.manual_seed(0)
    branch = SensorBranch(6, hidden=(9, 4), labels=3)
    assert [tuple(each.shape) for each in branch.parameters()] == [
        *((9, 6), (9,), (4, 9), (4,)),
        *((3, 4), (3,)),
    ]
    assert branch(torch.rand(7, 6)).shape == (7, 3)
    # Not linear: the ReLU between the layers does something.
    x, y = torch.rand(2, 50, 6)
    half = (branch(x) + branch(y)) / 2
    assert not torch.allclose(branch((x + y) / 2), half, atol=1e-4)


def test_a_sensor_is_one_more_expert() -> None:
    torch.manual_seed(0)
    branch, student = SensorBranch(6, labels=5), seeing()
    network = SensingStudent(branch, torch.tensor(2.5), student)
    sensor, image = torch.rand(4, 6), torch.rand(4, 14, 14, 1)
    felt, seen = torch.softmax(branch(sensor) / 2.5, 1), torch.softmax(student(image), 1)
    product = felt * seen
    torch.testing.assert_close(
        torch.softmax(network(sensor, image), 1), product / product.sum(1, keepdim=True)
    )
    torch.testing.assert_close(network(sensor), branch(sensor) / 2.5)


def test_folding_keeps_the_probabilities() -> None:
    torch.manual_seed(0)
    network = SensingStudent(SensorBranch(6, labels=5), torch.tensor(0.4), seeing())
    sensor, image = torch.rand(4, 6), torch.rand(4, 14, 14, 1)
    before = torch.softmax(network(sensor, image), 1)
    folded = network.folded()
    assert float(folded.tau) == 1.0
    torch.testing.assert_close(torch.softmax(folded(sensor, image), 1), before)
    torch.testing.assert_close(torch.softmax(network(sensor, image), 1), before)


def test_the_int8_model_agrees_with_the_network() -> None:
    torch.manual_seed(0)
    network = SensingStudent(SensorBranch(6, labels=5), torch.tensor(0.5), seeing(0.01)).folded()
    sensors = torch.rand(60, 1, 6)
    # Two quarters of every picture are bright: equal ranges, or calibration would clip many.
    quarters = torch.stack([torch.randperm(4) < 2 for _ in range(60)]).float().reshape(60, 2, 2)
    images = torch.kron(quarters, torch.ones(1, 7, 7)).reshape(60, 1, 14, 14, 1)
    inputs = [
        {"sensor": sensor.numpy(), "image": image.numpy()}
        for sensor, image in zip(sensors, images, strict=True)
    ]
    model = lower_network(network, {"sensor": sensors[0], "image": images[0]})
    model = compact(quantise(model, inputs[:40]))
    check_full_integer(model)
    interpreter = Interpreter(model)
    assert interpreter.inputs.keys() == {"sensor", "image"}
    with torch.no_grad():
        expected = np.concatenate(
            [network(one, other).numpy() for one, other in zip(sensors, images, strict=True)]
        )
    found = np.concatenate([interpreter.run(each)["logits"] for each in inputs])
    step = interpreter.outputs["logits"].scale
    # The branch for pictures is not trained: what it tells apart is little, and so is the error.
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
    assert np.median(np.abs(found - expected)) < 0.2 * expected.std()
    # Both inputs count, or that would show little.
    for name in ("sensor", "image"):
        other = interpreter.run({**inputs[0], name: inputs[1][name]})["logits"]
        assert np.abs(other - found[0]).max() > 4 * step
