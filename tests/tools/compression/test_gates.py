import math

import pytest
import torch

from tests.tools.compression.conftest import Made
from tools.compression.gates import CLOSED, Gates, band_slice, hard_concrete
from tools.compression.groups import BANDS
from tools.networks.shape import Shape
from tools.networks.student import Students

SHAPE = Shape((6, 8, 8, 10, 10), (6, 8, 8, 10), (8, 8, 8, 8, 10, 10), (0, 40))


def inputs() -> dict[str, torch.Tensor]:
    return {
        "visual_28": torch.rand(4, 28, 28, 1),
        "visual_14": torch.rand(4, 14, 14, 1),
        "audio": torch.rand(4, 64, 40, 1),
    }


@pytest.mark.parametrize("parameter", [-3.0, -1.0, 0.0, 2.0])
def test_drawn_gates_are_open_as_often_as_they_say(parameter: float) -> None:
    drawn = hard_concrete(torch.full((200_000,), parameter), torch.Generator().manual_seed(1))
    gates = Gates(Students(SHAPE), initial=parameter)
    expected = float(gates.open()["audio.0"][0].detach())
    assert float((drawn > 0).float().mean()) == pytest.approx(expected, abs=0.005)
    # The whole distribution: the quantile function of a binary concrete, stretched and cut.
    for share in (0.2, 0.5, 0.8):
        logit = math.log(share / (1 - share))
        soft = 1 / (1 + math.exp(-(logit + parameter) / (2 / 3)))
        wanted = min(1.0, max(0.0, 1.2 * soft - 0.1))
        assert float(drawn.quantile(share)) == pytest.approx(wanted, abs=0.01)


def test_the_probability_at_which_the_estimate_closes() -> None:
    gates = Gates(Students(SHAPE)).eval()
    with torch.no_grad():
        gates.logarithm("audio.2").copy_(torch.linspace(-5.0, 5.0, 10))
        gates.logarithm("audio.2")[:2] = (
            math.log(CLOSED / (1 - CLOSED))
            + (2 / 3) * math.log(0.1 / 1.1)
            + torch.tensor([-1e-3, 1e-3])
        )
    estimate = gates.estimate("audio.2").detach()
    probability = gates.open()["audio.2"]
    assert bool(((estimate > 0) == (probability > CLOSED)).all())
    assert 0 < float(estimate[1]) < 1e-3 and float(estimate[0]) == 0.0


def test_a_gate_multiplies_the_channels_after_normalisation(made: Made) -> None:
    students = made(SHAPE)
    gates = Gates(students).eval()
    gates.attach(students)
    x = torch.rand(3, 1, 9, 9)
    conv = students.visual_28.stem
    with torch.no_grad():
        gates.logarithm("visual_28.0").copy_(torch.linspace(-3.0, 1.0, 6))
        wanted = torch.relu(conv.norm(conv.conv(x)))
        found = conv(x)
    factors = gates.estimate("visual_28.0").detach()[:, None, None]
    torch.testing.assert_close(found, wanted * factors)
    assert float(factors[0]) == 0.0 and 0.0 < float(factors[-1]) < 1.0


def test_a_closed_channel_reaches_nothing(made: Made) -> None:
    # Whatever its weights are: its own convolution, its normalisation, the depthwise one behind.
    students = made(SHAPE)
    gates = Gates(students).eval()
    gates.attach(students)
    with torch.no_grad():
        for name, group in gates.groups.items():
            gates.logarithm(name)[group.width // 2] = -20.0
    given = inputs()
    before = {name: students.get_submodule(name)(some) for name, some in given.items()}
    with torch.no_grad():
        for group in gates.groups.values():
            for path in group.convs:
                closed = students.get_submodule(path)
                closed.conv.weight[group.width // 2] += 1.0
                closed.norm.bias[group.width // 2] += 1.0
    given["audio"][:, :, 20] = 0.5  # the closed band
    for name, some in given.items():
        assert torch.equal(students.get_submodule(name)(some), before[name]), name


def test_running_statistics_go_on_and_checkpoints_have_no_gates(made: Made) -> None:
    students = made(SHAPE).train()
    keys = list(students.state_dict())
    gates = Gates(students)
    gates.attach(students)
    gates.draw()
    norm = students.visual_14.stem.norm
    before = norm.running_mean.clone()
    students.visual_14(inputs()["visual_14"])
    assert not torch.equal(before, norm.running_mean)
    assert list(students.state_dict()) == keys
    assert not any("gate" in key for key in keys)


def test_every_gate_has_a_gradient_from_the_answer(made: Made) -> None:
    students = made(SHAPE).train()
    gates = Gates(students, initial=0.0)
    gates.attach(students)
    gates.draw(torch.Generator().manual_seed(0))
    given = inputs()
    whole, prefix = students.audio.both(given["audio"])
    seen = students.visual_28(given["visual_28"]), students.visual_14(given["visual_14"])
    sum(logits.square().sum() for logits in (*seen, whole, prefix)).backward()
    for name in gates.groups:
        soft = (gates.values(name) > 0) & (gates.values(name) < 1)
        gradient = gates.logarithm(name).grad
        assert bool((gradient[soft] != 0).any()), name
        assert bool((gradient[~soft] == 0).all()), name


def test_draws_follow_the_generator_and_stay_until_the_next() -> None:
    gates = Gates(Students(SHAPE), initial=0.0)
    with pytest.raises(RuntimeError, match="draw"):
        gates.values("audio.0")
    generator = torch.Generator()
    drawn = []
    for seed in (1, 1, 2):
        gates.draw(generator.manual_seed(seed))
        assert torch.equal(gates.values("audio.0"), gates.values("audio.0"))
        drawn.append(gates.values("audio.0"))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    torch.manual_seed(3)
    gates.draw()
    torch.manual_seed(3)
    first = gates.values("audio.0")
    gates.draw()
    assert torch.equal(first, gates.values("audio.0"))
    gates.eval()
    assert torch.equal(gates.values("audio.0"), gates.estimate("audio.0"))


def test_detached_students_are_as_before(made: Made) -> None:
    students = made(SHAPE)
    given = inputs()
    before = {name: students.get_submodule(name)(some) for name, some in given.items()}
    gates = Gates(students, initial=-1.0).eval()
    gates.attach(students)
    for name, some in given.items():
        assert not torch.allclose(students.get_submodule(name)(some), before[name], atol=1e-3)
    gates.detach(students)
    for name, some in given.items():
        assert torch.equal(students.get_submodule(name)(some), before[name])


def test_bands_can_be_left_alone(made: Made) -> None:
    students = made(SHAPE)
    gates = Gates(students, bands=False)
    gates.attach(students)
    assert BANDS not in gates.open() and students.audio.band_gate is None


def test_the_slice_with_the_most_mass() -> None:
    mass = torch.tensor([0.1, 0.9, 0.2, 0.8, 0.8, 0.0])
    assert band_slice(mass, 1) == (1, 2)
    assert band_slice(mass, 2) == (3, 5)
    assert band_slice(mass, 4) == (1, 5)
    assert band_slice(mass, 6) == (0, 6)
    for width in (0, 7):
        with pytest.raises(ValueError, match="bands"):
            band_slice(mass, width)
