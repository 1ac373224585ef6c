import math

import pytest
import torch
from torch import nn

from tools.precision.rounding import rounded
from tools.precision.significance import fisher_significance, output_significance

LAYERS = ["0", "3"]


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 5)
    ).eval()


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.rand(50, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(0, 5, (50,), generator=torch.Generator().manual_seed(2))


def test_rounding_to_the_grid() -> None:
    weights = torch.tensor([[7.0, 3.4, -3.6, 0.2], [0.0, 0.0, 0.0, 0.0], [-14.0, 1.1, 0.9, 3.1]])
    expected = torch.tensor([[7.0, 3.0, -4.0, 0.0], [0.0] * 4, [-14.0, 2.0, 0.0, 4.0]])
    torch.testing.assert_close(rounded(weights, 4), expected)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_rounding_moves_no_weight_by_more_than_half_a_step(bits: int) -> None:
    weights = torch.randn(6, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    step = weights.flatten(1).abs().amax(1) / (2 ** (bits - 1) - 1)
    moved = (rounded(weights, bits) - weights).flatten(1).abs().amax(1)
    assert (moved <= 0.5001 * step).all()
    torch.testing.assert_close(rounded(rounded(weights, bits), bits), rounded(weights, bits))


def test_fisher_is_the_sum_over_single_samples(
    network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor
) -> None:
    expected = dict.fromkeys(LAYERS, 0.0)
    for sample, label in zip(inputs, labels, strict=True):
        network.zero_grad()
        nn.functional.cross_entropy(network(sample[None]), label[None]).backward()
        for name in LAYERS:
            weight = network.get_parameter(f"{name}.weight")
            assert weight.grad is not None
            change = rounded(weight.detach(), 4) - weight.detach()
            expected[name] += 0.5 * float((weight.grad * change).square().sum()) / len(labels)
    found = fisher_significance(network, [inputs], labels, LAYERS, [4])
    assert {name: some[4] for name, some in found.items()} == pytest.approx(expected, rel=1e-4)


def test_fisher_by_hand() -> None:
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[7.0, 3.4], [0.0, 0.0]]))  # 3.4 becomes 3
    probability = 1.0 / (1.0 + math.exp(-(7.0 * 0.1 + 3.4 * 0.2)))
    gradient = (probability - 1.0) * 0.2
    found = fisher_significance(network, [torch.tensor([[0.1, 0.2]])], torch.tensor([0]), [""], [4])
    assert found[""][4] == pytest.approx(0.5 * (gradient * 0.4) ** 2, rel=1e-4)


def test_only_the_layer_looked_at_is_rounded(network: nn.Sequential, inputs: torch.Tensor) -> None:
    before = {name: some.clone() for name, some in network.state_dict().items()}
    found = output_significance(network, [inputs], LAYERS, [3, 8])
    for name, some in network.state_dict().items():
        assert torch.equal(some, before[name])
    with torch.no_grad():
        exact = network(inputs)
        head = network[3]
        features = network[:3](inputs)
        changed = features @ rounded(head.weight, 3).T + head.bias
    assert found["3"][3] == pytest.approx(float((changed - exact).square().mean()), rel=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_fewer_bits_lose_more(
    network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor, layer: str
) -> None:
    for found in (
        fisher_significance(network, [inputs], labels, LAYERS, [2, 4, 8]),
        output_significance(network, [inputs], LAYERS, [2, 4, 8]),
    ):
        assert found[layer][2] > found[layer][4] > found[layer][8] > 0.0


def test_a_layer_without_a_say_is_insignificant(
    network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor
) -> None:
    with torch.no_grad():
        network[3].weight.zero_()
    found = fisher_significance(network, [inputs], labels, ["0"], [4])
    assert found["0"][4] == 0.0
    assert output_significance(network, [inputs], ["0"], [4])["0"][4] == 0.0


@pytest.mark.parametrize("bits", [3, 4, 5, 6])
def test_fisher_predicts_the_rise_of_the_loss(bits: int) -> None:
    """Where the labels are the network's own opinion, the mean rise is ½ Σ F·Δ² but for products.

    Inputs without correlation leave few products: those between the outputs.
    """
    generator = torch.Generator().manual_seed(3)
    network = nn.Linear(4, 3, bias=False)
    truth = torch.randn(3, 4, generator=generator)
    inputs = torch.randn(20000, 4, generator=generator)
    with torch.no_grad():
        network.weight.copy_(truth)
        exact = torch.log_softmax(inputs @ truth.T, 1)
        changed = torch.log_softmax(inputs @ rounded(truth, bits).T, 1)
    labels = torch.multinomial(exact.exp(), 1, generator=generator)[:, 0]
    rise = float((exact.exp() * (exact - changed)).sum(1).mean())
    found = fisher_significance(network, [inputs], labels, [""], [bits])[""][bits]
    assert rise / 2 < found < 2 * rise
