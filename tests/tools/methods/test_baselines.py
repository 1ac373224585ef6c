"""What only one baseline does."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from edge_daemon.tier import TIERS, Tier
from tests.tools.methods.examples import make_batch, make_learnt, make_taught, make_widths
from tools.alignment.transport import stage_distances
from tools.methods.divergence import softened_divergence
from tools.methods.experts import Experts
from tools.methods.hinton import Hinton
from tools.methods.labels import Labels
from tools.methods.method import SMOOTHING
from tools.methods.pretext import Pretext
from tools.methods.transfer import Transfer, unexplained
from tools.methods.transport import Transport
from tools.training.losses import NOTHING

PAIRED = ([0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 4, 4])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_labels_train_sums() -> None:
    """On whole pairs torch's own smoothed cross-entropy gives the same."""
    batch = make_batch(*PAIRED)
    learnt = make_learnt(len(batch))
    logits = {name: made.logits.detach() for name, made in learnt.outputs.items()}
    sums = [
        logits["28"] + logits["full"],
        logits["28"] + logits["prefix"],
        logits["28"],
        logits["14"],
    ]
    expected = sum(F.cross_entropy(some, batch.seen, label_smoothing=SMOOTHING) for some in sums)
    found = Labels().losses(batch, make_taught(batch), learnt, 0.0, generator())
    torch.testing.assert_close(found["task"].detach(), expected)


def test_experts_train_each_output_as_if_alone() -> None:
    batch = make_batch(*PAIRED)
    learnt = make_learnt(len(batch))
    found = Experts().losses(batch, make_taught(batch), learnt, 0.0, generator())
    expected = sum(
        F.cross_entropy(made.logits.detach(), batch.seen, label_smoothing=SMOOTHING)
        for made in learnt.outputs.values()
    )
    torch.testing.assert_close(found["task"].detach(), expected)
    found["task"].backward()
    alone = make_learnt(len(batch)).outputs["14"].logits
    F.cross_entropy(alone, batch.seen, label_smoothing=SMOOTHING).backward()
    torch.testing.assert_close(learnt.outputs["14"].logits.grad, alone.grad)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_hinton_shares_between_labels_and_teacher(share: float) -> None:
    batch = make_batch(*PAIRED)
    learnt, taught = make_learnt(len(batch)), make_taught(batch)
    found = Hinton(share, 4.0).losses(batch, taught, learnt, 0.0, generator())
    labels = Labels().losses(batch, taught, learnt, 0.0, generator())["task"]
    soft = sum(softened_divergence(learnt.tier(tier), taught.fused, 4.0) for tier in TIERS)
    torch.testing.assert_close(found["task"], (1.0 - share) * labels)
    torch.testing.assert_close(found["distill"], share * soft)


def test_hinton_is_content_with_a_student_that_answers_like_the_teacher() -> None:
    batch = make_batch(*PAIRED)
    learnt, taught = make_learnt(len(batch)), make_taught(batch)
    with torch.no_grad():
        for name, made in learnt.outputs.items():
            made.logits.copy_(taught.fused if name in ("28", "14") else torch.zeros(6, 5))
    found = Hinton().losses(batch, taught, learnt, 0.0, generator())
    assert float(found["distill"].detach()) == pytest.approx(0.0, abs=1e-5)
    assert torch.equal(learnt.tier(Tier.LOW), taught.fused)


def test_unexplained_is_one_for_the_mean_and_nothing_for_the_truth() -> None:
    wanted = torch.tensor([[1.0, 8.0], [3.0, 0.0], [5.0, 4.0]])
    mean = wanted.mean(0).expand(3, 2)
    assert float(unexplained(mean, wanted)) == pytest.approx(1.0)
    assert float(unexplained(wanted, wanted)) == 0.0
    assert float(unexplained(50.0 * (mean + 0.5), 50.0 * wanted)) == pytest.approx(
        float(unexplained(mean + 0.5, wanted))
    )


def test_unexplained_ignores_what_does_not_vary() -> None:
    for rows in (0, 1):
        leaf = torch.ones(rows, 2, requires_grad=True)
        loss = unexplained(leaf, torch.zeros(rows, 2))
        loss.backward()
        assert float(loss.detach()) == 0.0
        assert leaf.grad is not None and not leaf.grad.any()


def test_transfer_crosses_modalities_and_leaves_single_halves_out() -> None:
    """The picture's features are taught by the sound's, where both are there."""
    batch = make_batch()
    method, taught = Transfer(make_widths()), make_taught(batch)
    assert method.maps["28"].out_features == taught.audio.features.shape[1]
    assert method.maps["full"].out_features == taught.visual.features.shape[1]
    learnt = make_learnt(len(batch))
    method.losses(batch, taught, learnt, 0.0, generator())["transfer"].backward()
    for made in learnt.outputs.values():
        assert made.features.grad is not None
        assert made.features.grad[:5].abs().sum(1).gt(0.0).all()
        assert not made.features.grad[5:].any()


def test_pretext_is_least_where_partners_meet_and_others_do_not() -> None:
    batch = make_batch(*PAIRED)
    method, taught = Pretext(make_widths(), size=6), make_taught(batch)
    learnt = make_learnt(len(batch))
    with torch.no_grad():
        for name, made in learnt.outputs.items():
            made.features.copy_(torch.eye(6))
            method.heads[name].weight.copy_(torch.eye(6))
            method.heads[name].bias.zero_()
    together = method.losses(batch, taught, learnt, 0.0, generator())["contrast"].detach()
    with torch.no_grad():
        learnt.outputs["28"].features.copy_(torch.eye(6).roll(1, 0))
    apart = method.losses(batch, taught, learnt, 0.0, generator())["contrast"].detach()
    assert float(together) < 0.01 < float(apart)


def test_pretext_contrasts_three_pairs_of_outputs_both_ways() -> None:
    """Each direction is torch's cross-entropy with the partner as the class."""
    torch.manual_seed(0)
    batch = make_batch(*PAIRED)
    method, learnt = Pretext(make_widths(), tau=0.3), make_learnt(len(batch))
    z = {
        name: F.normalize(method.heads[name](made.features), dim=1)
        for name, made in learnt.outputs.items()
    }
    expected = torch.zeros(())
    for seen, heard in (("28", "full"), ("28", "prefix"), ("14", "full")):
        odds = z[seen] @ z[heard].T / 0.3
        for direction in (odds, odds.T):
            expected = expected + F.cross_entropy(direction, torch.arange(6)) / 2
    found = method.losses(batch, make_taught(batch), learnt, 0.0, generator())
    torch.testing.assert_close(found["contrast"], expected)


def test_pretext_leaves_single_halves_out() -> None:
    batch = make_batch()
    learnt = make_learnt(len(batch))
    losses = Pretext(make_widths()).losses(batch, make_taught(batch), learnt, 0.0, generator())
    losses["contrast"].backward()
    for made in learnt.outputs.values():
        assert made.features.grad is not None and not made.features.grad[5:].any()


def test_transport_is_the_cheapest_flow_times_the_distance() -> None:
    """Two stages on either side: one number, the flow between the first two, is free."""
    torch.manual_seed(0)
    batch = make_batch()
    method, taught, learnt = Transport(make_widths()), make_taught(batch), make_learnt(len(batch))
    stages, rows = learnt.outputs["14"].stages, batch.seen != NOTHING
    projected = torch.stack(
        [
            project(stage.transpose(1, 2))
            for project, stage in zip(method.projections["14"], stages, strict=True)
        ]
    )
    distances = stage_distances(projected, taught.visual.stages, rows).detach()
    given, taken = torch.tensor([0.3, 0.7]), torch.tensor([0.6, 0.4])
    method.get_buffer("student_14").copy_(given)
    method.get_buffer("teacher_14").copy_(taken)
    costs = [
        float(
            first * distances[0, 0]
            + (0.3 - first) * distances[0, 1]
            + (0.6 - first) * distances[1, 0]
            + (0.1 + first) * distances[1, 1]
        )
        for first in (0.0, 0.3)  # a linear cost is least at one of the ends
    ]
    found = method.transport("14", learnt.outputs["14"], taught.visual, rows).detach()
    assert float(found) == pytest.approx(min(costs), rel=1e-5)


def test_a_student_that_shows_nothing_is_far_from_everything() -> None:
    batch = make_batch()
    method, learnt = Transport(make_widths()), make_learnt(len(batch))
    with torch.no_grad():
        for value in method.parameters():
            value.zero_()
    rows = batch.seen != NOTHING
    cost = method.transport("14", learnt.outputs["14"], make_taught(batch).visual, rows)
    assert float(cost.detach()) == pytest.approx(2.0)
    weights = method.get_buffer("student_14")
    torch.testing.assert_close(weights, torch.full((2,), 0.5, dtype=torch.float64))


def test_transport_teaches_stages_and_reweights_them() -> None:
    torch.manual_seed(0)
    batch = make_batch()
    method, taught = Transport(make_widths()), make_taught(batch)
    before = {name: value.clone() for name, value in method.named_buffers()}
    learnt = make_learnt(len(batch))
    method.losses(batch, taught, learnt, 0.0, generator())["transport"].backward()
    for name, made in learnt.outputs.items():
        known = batch.wanted(name) != NOTHING
        for stage in made.stages:
            assert stage.grad is not None
            assert not stage.grad[~known].any()
        assert any(stage.grad is not None and stage.grad[known].any() for stage in made.stages)
    for name, value in method.named_buffers():
        assert float(value.sum()) == pytest.approx(1.0)
        assert not torch.equal(value, before[name])


def test_transport_gets_cheaper_by_descent() -> None:
    """The flow is a constant to the gradient; following that lowers the whole nevertheless."""
    torch.manual_seed(0)
    batch = make_batch(*PAIRED)
    method, taught = Transport(make_widths()), make_taught(batch)
    learnt = make_learnt(len(batch))
    leaves: list[Tensor] = [stage for made in learnt.outputs.values() for stage in made.stages]
    optimiser = torch.optim.Adam([*method.parameters(), *leaves], 0.03)
    costs = []
    for _ in range(60):
        loss = method.losses(batch, taught, learnt, 0.0, generator())["transport"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        costs.append(float(loss.detach()))
    assert costs[-1] < 0.75 * costs[0]
