"""What holds for every method alike."""

import math

import pytest
import torch
from torch import Tensor

from tests.tools.methods.examples import (
    LABELS,
    make_batch,
    make_learnt,
    make_subspace,
    make_taught,
    make_widths,
)
from tools.methods import METHODS
from tools.methods.method import PRETRAINING, Method
from tools.resource.coefficients import ResourceWeights
from tools.training.losses import NOTHING

PHASES = (0.0, PRETRAINING, 0.99)
DEGENERATE = {
    "one pair": ([3], [3]),
    "nothing at all": ([NOTHING] * 4, [NOTHING] * 4),
    "only pictures": ([0, 1, 2, 3], [NOTHING] * 4),
    "only sounds": ([NOTHING] * 4, [0, 1, 2, 3]),
    "one class": ([2, 2, 2, 2], [2, 2, 2, 2]),
}


def built(name: str) -> Method:
    torch.manual_seed(0)
    return METHODS[name](make_widths(), make_subspace(), lambda tier, weights: weights.macs)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_the_baselines_and_the_ablations_are_there() -> None:
    assert list(METHODS)[:7] == [
        "labels",
        "experts",
        "hinton",
        "transfer",
        "transport",
        "pretext",
        "ra_cmkd",
    ]


@pytest.mark.parametrize("name", METHODS)
def test_calls_itself_what_it_is_called(name: str) -> None:
    method = built(name)
    assert method.name == name
    assert method.calibrated == (name == "experts" or name.startswith("ra_cmkd"))


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", METHODS)
def test_terms_are_finite_scalars_that_teach_every_output(name: str, phase: float) -> None:
    batch = make_batch()
    learnt = make_learnt(len(batch))
    terms = built(name).losses(batch, make_taught(batch), learnt, phase, generator())
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    torch.stack(list(terms.values())).sum().backward()
    for made in learnt.outputs.values():
        reached = [part.grad for part in (made.logits, made.features) if part.grad is not None]
        assert reached and all(gradient.isfinite().all() for gradient in reached)
        assert any(gradient.abs().sum() > 0.0 for gradient in reached)


@pytest.mark.parametrize("seen_and_heard", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("name", METHODS)
def test_degenerate_batches_have_finite_gradients(
    name: str, seen_and_heard: tuple[list[int], list[int]]
) -> None:
    batch = make_batch(*seen_and_heard)
    method = built(name)
    for phase in PHASES:
        learnt = make_learnt(len(batch))
        terms = method.losses(batch, make_taught(batch), learnt, phase, generator())
        torch.stack(list(terms.values())).sum().backward()
        leaves = [
            part
            for made in learnt.outputs.values()
            for part in (made.logits, made.features, *made.stages)
        ]
        gradients = [part.grad for part in (*leaves, *method.parameters()) if part.grad is not None]
        assert all(term.isfinite() for term in terms.values())
        assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", METHODS)
def test_all_parameters_are_trained(name: str) -> None:
    batch, method = make_batch(), built(name)
    for phase in PHASES:
        learnt = make_learnt(len(batch))
        terms = method.losses(batch, make_taught(batch), learnt, phase, generator())
        torch.stack(list(terms.values())).sum().backward()
    for key, value in method.named_parameters():
        assert value.grad is not None and value.grad.abs().sum() > 0.0, key


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_losses(name: str) -> None:
    batch = make_batch()

    def once() -> dict[str, Tensor]:
        learnt = make_learnt(len(batch))
        return built(name).losses(batch, make_taught(batch), learnt, 0.9, generator())

    first, again = once(), once()
    assert {key: float(term.detach()) for key, term in first.items()} == {
        key: float(term.detach()) for key, term in again.items()
    }


@pytest.mark.parametrize("name", ["labels", "transfer", "pretext"])
def test_ends_with_the_cross_entropy_of_the_tiers(name: str) -> None:
    """Uniform answers cost ln(labels) in each of four tiers."""
    batch = make_batch()
    learnt = make_learnt(len(batch))
    with torch.no_grad():
        for made in learnt.outputs.values():
            made.logits.zero_()
    terms = built(name).losses(batch, make_taught(batch), learnt, PRETRAINING, generator())
    assert list(terms) == ["task"]
    assert float(terms["task"].detach()) == pytest.approx(4 * math.log(LABELS))


@pytest.mark.parametrize(("name", "term"), [("transfer", "transfer"), ("pretext", "contrast")])
def test_the_first_phase_knows_no_labels(name: str, term: str) -> None:
    """Other labels, the same losses; and no head is trained."""
    method, losses = built(name), []
    for seen in ([0, 1, 2, 3, 4, NOTHING], [4, 4, 1, 0, 0, NOTHING]):
        batch = make_batch(seen, seen)
        learnt = make_learnt(len(batch))
        terms = method.losses(batch, make_taught(batch), learnt, 0.0, generator())
        assert list(terms) == [term]
        terms[term].backward()
        assert all(made.logits.grad is None for made in learnt.outputs.values())
        losses.append(float(terms[term].detach()))
    assert losses[0] == losses[1]


def test_what_gates_cost_is_weighed_by_the_headroom() -> None:
    """Everything is as scarce as can be in `critical`: the cost's weight is between 0 and 1."""
    calls = {}

    def cost(tier: str, weights: ResourceWeights[Tensor]) -> Tensor:
        calls[str(tier)] = weights
        return torch.tensor(10.0, requires_grad=True)

    batch = make_batch()
    learnt, taught = make_learnt(len(batch)), make_taught(batch)
    whole = METHODS["ra_cmkd"](make_widths(), make_subspace(), cost)
    terms = whole.losses(batch, taught, learnt, 0.5, generator())
    assert set(calls) == {"high", "medium", "low", "critical"}
    assert all(float(sum(weights)) == pytest.approx(1.0) for weights in calls.values())
    assert 10.0 * 4 * 0.05 < float(terms["resource"].detach()) < 10.0 * 4 * 0.2
    calls.clear()
    ungated = METHODS["ra_cmkd_without_gates"](make_widths(), make_subspace(), cost)
    assert "resource" not in ungated.losses(batch, taught, learnt, 0.5, generator())
    assert not calls
