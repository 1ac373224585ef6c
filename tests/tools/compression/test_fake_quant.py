from dataclasses import fields

import numpy as np
import pytest
import torch

from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.tier import Tier
from tests.tools.compression.conftest import Made
from tools.compression.fake_quant import (
    Range,
    RoundedHead,
    fake_quantised,
    rounded_weights,
    unwrap,
)
from tools.convert import convert_tier
from tools.export.calibration import calibration_inputs
from tools.generated import generated
from tools.networks.fold import folded_students
from tools.networks.separable import ConvNorm
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.training.batch import Batch
from tools.training.losses import cross_entropy
from tools.training.samples import tensors

SHAPE = Shape((8, 12, 12, 16, 16), (8, 12, 12, 16), (12, 12, 12, 12, 16, 16))


def batch_of(count: int, seed: int) -> Batch:
    """Generated pairs that a small network learns in a moment."""
    dataset = generated(count, seed=seed)
    labels = torch.from_numpy(dataset.pictures.labels.astype(np.int64))
    return Batch(
        tensors(torch.from_numpy(dataset.pictures.images28)),
        tensors(torch.from_numpy(dataset.pictures.images14)),
        tensors(torch.from_numpy(dataset.sounds.columns[dataset.pairs])),
        labels,
        labels,
    )


def train(students: Students, batch: Batch, steps: int, rate: float) -> None:
    """Train all outputs on parts of a batch in turn."""
    optimiser = torch.optim.AdamW(students.parameters(), rate)
    students.train()
    for step in range(steps):
        part = slice(50 * step % len(batch), 50 * step % len(batch) + 50)
        some = Batch(*(getattr(batch, field.name)[part] for field in fields(Batch)))
        optimiser.zero_grad()
        loss(students, some).backward()
        optimiser.step()


def loss(students: Students, batch: Batch) -> torch.Tensor:
    """The cross-entropy of all outputs."""
    outputs = students.learn(batch).outputs.values()
    return torch.stack([cross_entropy(some.logits, batch.seen) for some in outputs]).sum()


@pytest.fixture(scope="module")
def trained() -> Students:
    torch.manual_seed(0)
    students = Students(SHAPE)
    train(students, batch_of(400, seed=5), 64, 1e-2)
    return students.eval()


def test_folded_students_say_the_same_and_load_by_their_shape(made: Made) -> None:
    students = made(SHAPE)
    batch = batch_of(20, seed=1)
    plain = folded_students(students)
    assert plain.shape.folded and not plain.training
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in plain.modules())
    again = Students(plain.shape)
    assert again.load_state_dict(plain.state_dict())
    for name, found in again.learn(batch).outputs.items():
        wanted = students.learn(batch).outputs[name].logits
        torch.testing.assert_close(found.logits, wanted, atol=1e-4, rtol=1e-4)
    # Folding twice is folding once.
    twice = folded_students(plain).state_dict()
    assert all(torch.equal(twice[name], value) for name, value in plain.state_dict().items())


def test_a_gated_convolution_is_not_folded(made: Made) -> None:
    conv = ConvNorm(2, 3)
    conv.gate = lambda: torch.ones(3)
    with pytest.raises(ValueError, match="gated"):
        conv.fold()


def test_weights_have_255_values_an_output() -> None:
    torch.manual_seed(0)
    weights = torch.randn(4, 600) * torch.tensor([[1e-3], [1.0], [50.0], [0.0]])
    rounded = rounded_weights(weights)
    scale = weights.abs().amax(1, keepdim=True) / 127
    assert float((rounded - weights).abs().div(scale.clamp(min=1e-9)).max()) <= 0.501
    codes = (rounded / scale.clamp(min=1e-12)).round()
    torch.testing.assert_close(codes * scale, rounded)
    assert codes.abs().amax(1).tolist() == [127, 127, 127, 0]


def test_a_range_is_the_moving_average_of_each_batchs_ends() -> None:
    observed = Range().train()
    x = torch.tensor([[0.0, 1.0], [-1.0, 3.0]])
    assert torch.equal(observed.eval()(x), x)  # nothing is known yet
    observed.train()(x)
    assert (float(observed.low), float(observed.high)) == (-1.0, 3.0)
    observed(2 * x)
    assert float(observed.low) == pytest.approx(0.95 * -1.0 + 0.05 * -2.0)
    assert float(observed.high) == pytest.approx(0.95 * 3.0 + 0.05 * 6.0)
    before = observed.state_dict()
    observed.eval()(100 * x)
    assert observed.state_dict() == before
    # A positive activation's range still has 0 in it.
    positive = Range().train()
    positive(torch.tensor([[3.0, 5.0]]))
    assert (float(positive.low), float(positive.high)) == (0.0, 5.0)


def test_rounding_is_the_int8_of_its_range_and_passes_the_gradient_inside() -> None:
    observed = Range()
    observed.low.fill_(-1.0)
    observed.high.fill_(3.0)
    x = torch.linspace(-2.0, 4.0, 400, requires_grad=True)
    y = observed.eval()(x)
    scale = 4.0 / 255
    zero = round(-128 + 1.0 / scale)
    codes = np.clip(np.round(x.detach().numpy() / np.float32(scale)) + zero, -128, 127)
    np.testing.assert_allclose(y.detach(), (codes - zero) * scale, atol=1e-5)
    assert len(y.unique()) == 256
    y.sum().backward()
    inside = (x > -1.01) & (x < 3.01)
    sure = (x < -1.02) | (x > 3.02) | ((x > -0.98) & (x < 2.98))
    assert x.grad is not None and torch.equal(x.grad[sure], inside.float()[sure])


def test_a_head_is_centred_and_rounded_as_its_export() -> None:
    torch.manual_seed(0)
    plain = torch.nn.Linear(6, 4)
    features = torch.rand(3, 6)
    found = RoundedHead(plain).eval()(features)  # ranges are unknown: features and logits are exact
    weights, bias = (p.detach().numpy() - p.detach().numpy().mean(0) for p in plain.parameters())
    scale = np.abs(weights).max(1, keepdims=True) / 127
    wanted = features.numpy() @ (np.round(weights / scale) * scale).T + bias
    np.testing.assert_allclose(found.detach(), wanted, atol=1e-6)


def test_logits_stay_within_the_error_of_rounding(trained: Students) -> None:
    batch = batch_of(200, seed=7)
    quantised = fake_quantised(trained)
    with torch.no_grad():
        quantised.train().learn(batch)  # sees the ranges
        found, wanted = quantised.eval().learn(batch).outputs, trained.learn(batch).outputs
    for name in wanted:
        difference = found[name].logits - wanted[name].logits
        difference = difference - difference.mean(1, keepdim=True)  # centring is no error
        spread = float(wanted[name].logits.max() - wanted[name].logits.min())
        assert 1e-4 * spread < float(difference.abs().mean()) < 0.02 * spread, name


def test_all_parameters_learn_and_the_given_students_do_not(trained: Students) -> None:
    batch = batch_of(100, seed=8)
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    quantised = fake_quantised(trained).train()
    loss(quantised, batch).backward()
    for name, parameter in quantised.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.abs().sum() > 0), name
    train(quantised, batch, 2, 1e-3)
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())


def test_unwrapped_students_are_plain(trained: Students) -> None:
    quantised = fake_quantised(trained)
    train(quantised, batch_of(100, seed=8), 2, 1e-3)
    plain = unwrap(quantised)
    assert plain.shape.folded and set(plain.state_dict()) == set(
        folded_students(trained).state_dict()
    )
    for name, value in plain.state_dict().items():
        assert torch.equal(value, quantised.state_dict()[name])


def test_the_file_answers_as_the_fake_quantised_network(trained: Students) -> None:
    dataset = generated(400, seed=5)
    quantised = fake_quantised(trained)
    train(quantised, batch_of(400, seed=5), 20, 1e-4)
    quantised.eval()
    plain = unwrap(quantised)
    student = plain.tier(Tier.HIGH)
    samples = calibration_inputs(student, [dataset], 200, seed=0)
    interpreter = Interpreter(convert_tier(student, samples))
    unseen = batch_of(300, seed=9)
    with torch.no_grad():
        wanted = quantised.tier(Tier.HIGH)(unseen.images28, unseen.sounds)
    found = torch.stack(
        [
            torch.from_numpy(
                interpreter.run({"image": image[None].numpy(), "audio": sound[None].numpy()})[
                    "logits"
                ][0]
            )
            for image, sound in zip(unseen.images28, unseen.sounds, strict=True)
        ]
    )
    assert float((found.argmax(1) == wanted.argmax(1)).float().mean()) >= 0.99
    # Both round, by ranges of other samples: what is left is small beside what the logits say.
    difference = found - wanted
    error = (difference - difference.mean(1, keepdim=True)).abs().mean()
    assert float(error) < 0.1 * float(wanted.std())
