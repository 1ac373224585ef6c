import pytest
import torch
from torch import Tensor

from edge_daemon.governor.headroom import tier_for
from edge_daemon.tier import TIERS
from tests.tools.methods.examples import (
    make_batch,
    make_learnt,
    make_subspace,
    make_taught,
    make_widths,
)
from tools.alignment.contrast import instance_contrast, prototype_contrast, subspace_distance
from tools.methods.divergence import softened_divergence
from tools.methods.method import SMOOTHING, tier_teaching
from tools.methods.ra_cmkd import ABLATIONS, Options, RaCmkd
from tools.resource.coefficients import coefficients
from tools.resource.draw import draw_headroom
from tools.training.activations import TIER_OUTPUTS, Learnt
from tools.training.losses import NOTHING, cross_entropy


def method(**options: object) -> RaCmkd:
    torch.manual_seed(0)
    return RaCmkd(make_widths(), make_subspace(), "some", Options(**options))  # type: ignore[arg-type]


def terms(some: RaCmkd, learnt: Learnt, seed: int = 5) -> dict[str, Tensor]:
    batch = make_batch()
    generator = torch.Generator().manual_seed(seed)
    return some.losses(batch, make_taught(batch), learnt, 0.5, generator)


@pytest.mark.parametrize("cross_modal", [True, False])
def test_task_and_distillation_are_written_out_sums(cross_modal: bool) -> None:
    batch = make_batch()
    learnt, taught = make_learnt(len(batch)), make_taught(batch)
    generator = torch.Generator().manual_seed(5)
    task = distill = torch.zeros(())
    for tier in TIERS:
        headroom = draw_headroom(tier, generator)
        assert tier_for(headroom) is tier
        alpha, beta, _, _ = coefficients(headroom)
        outputs = TIER_OUTPUTS[tier]
        costs = [
            cross_entropy(learnt.outputs[name].logits, batch.wanted(name), SMOOTHING)
            for name in outputs
        ]
        task = task + alpha * sum(costs) / len(costs)
        for name in outputs:
            divergence = softened_divergence(
                learnt.outputs[name].logits, taught.same(name).logits, 2.0
            )
            distill = distill + beta * divergence / len(outputs)
        if cross_modal:
            fused = tier_teaching(batch, taught, tier)
            distill = distill + 0.1 * beta * softened_divergence(learnt.tier(tier), fused, 2.0)
    found = terms(method(cross_modal=cross_modal), learnt)
    torch.testing.assert_close(found["task"], task, check_dtype=False)
    torch.testing.assert_close(found["distill"], distill, check_dtype=False)


@pytest.mark.parametrize("align", ["prototypes", "instances"])
@pytest.mark.parametrize("cross_modal", [True, False])
def test_alignment_is_a_written_out_sum(align: str, cross_modal: bool) -> None:
    batch, some = make_batch(), method(align=align, cross_modal=cross_modal)
    learnt, taught, subspace = make_learnt(len(batch)), make_taught(batch), make_subspace()
    found = some.alignment(batch, taught, learnt)
    seen = subspace.project(taught.visual.features, "visual")
    heard = subspace.project(taught.audio.features, "audio")
    for name, same, other, known, labels in (
        ("14", seen, heard, [0, 1, 2, 3, 4, 6], [0, 1, 2, 3, 4, 2]),
        ("full", heard, seen, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 3]),
    ):
        z = some.projections[name](learnt.outputs[name].features)
        if align == "prototypes":
            wanted = torch.tensor(labels)
            expected = prototype_contrast(z[known], wanted, subspace.prototypes, 0.1)
        else:
            expected = instance_contrast(z[known], same[known], 0.1)
        expected = expected + subspace_distance(z[known], same[known])
        if cross_modal:
            expected = expected + subspace_distance(z[:5], other[:5])
        torch.testing.assert_close(found[name], expected)


def test_alignment_and_cost_are_weighed_by_gamma_and_delta() -> None:
    batch = make_batch()
    learnt, taught = make_learnt(len(batch)), make_taught(batch)
    generator = torch.Generator().manual_seed(5)
    torch.manual_seed(0)
    some = RaCmkd(
        make_widths(), make_subspace(), resource=lambda tier, weights: torch.tensor(1.0 + tier.rank)
    )
    terms_of = some.alignment(batch, taught, learnt)
    align = cost = torch.zeros(())
    for tier in TIERS:
        _, _, gamma, delta = coefficients(draw_headroom(tier, generator))
        outputs = TIER_OUTPUTS[tier]
        align = align + gamma * sum(terms_of[name] for name in outputs) / len(outputs)
        cost = cost + delta * (1.0 + tier.rank)
    found = terms(some, learnt)
    torch.testing.assert_close(found["align"], align, check_dtype=False)
    torch.testing.assert_close(found["resource"], cost, check_dtype=False)


def test_without_conditioning_nothing_is_left_to_chance() -> None:
    learnt = make_learnt(8)
    fixed, conditioned = method(conditioned=False), method()
    for name in ("task", "distill", "align"):
        assert terms(fixed, learnt, 1)[name] == terms(fixed, learnt, 2)[name]
        assert terms(conditioned, learnt, 1)[name] != terms(conditioned, learnt, 2)[name]


def test_without_alignment_features_are_left_alone() -> None:
    learnt = make_learnt(8)
    some = method(align="none")
    found = terms(some, learnt)
    assert set(found) == {"task", "distill"}
    torch.stack(list(found.values())).sum().backward()
    assert all(made.features.grad is None for made in learnt.outputs.values())
    assert not list(some.parameters())


def gradients(align: str, cross_modal: bool) -> dict[str, Tensor]:
    """The alignment's gradient with respect to each output's features."""
    learnt = make_learnt(8)
    terms(method(align=align, cross_modal=cross_modal), learnt)["align"].backward()
    return {
        name: made.features.grad
        for name, made in learnt.outputs.items()
        if made.features.grad is not None
    }


@pytest.mark.parametrize("align", ["prototypes", "instances"])
@pytest.mark.parametrize("cross_modal", [True, False])
def test_alignment_leaves_out_what_shows_or_says_nothing(align: str, cross_modal: bool) -> None:
    batch = make_batch()
    for name, gradient in gradients(align, cross_modal).items():
        known = batch.wanted(name) != NOTHING
        assert gradient[known].abs().sum(1).gt(0.0).all()
        assert not gradient[~known].any()


def test_crossing_modalities_aligns_whole_pairs_with_the_other_one() -> None:
    with_it, without = gradients("prototypes", True), gradients("prototypes", False)
    only_picture = 6
    for name in ("28", "14"):
        torch.testing.assert_close(with_it[name][only_picture], without[name][only_picture])
        assert not torch.allclose(with_it[name][:5], without[name][:5])


def test_prototypes_of_the_label_attract() -> None:
    """Trained on the alignment alone, features come to lie at their class's prototype."""
    learnt, some, batch = make_learnt(8), method(), make_batch()
    optimiser = torch.optim.Adam(
        [*some.parameters(), *(made.features for made in learnt.outputs.values())], 0.05
    )
    for _ in range(100):
        optimiser.zero_grad()
        terms(some, learnt)["align"].backward()
        optimiser.step()
    for name, made in learnt.outputs.items():
        known = batch.wanted(name) != NOTHING
        z = some.projections[name](made.features)[known]
        nearest = (z @ some.subspace.prototypes.T).argmax(1)
        assert torch.equal(nearest, batch.wanted(name)[known])


def test_every_ablation_differs_in_one_part() -> None:
    whole = Options()
    for name, options in ABLATIONS.items():
        changed = [key for key, value in vars(options).items() if value != getattr(whole, key)]
        assert len(changed) == (0 if name == "ra_cmkd" else 1)


def test_the_subspace_goes_into_the_checkpoint_and_where_the_module_goes() -> None:
    some = method().double()
    assert some.subspace.prototypes.dtype == torch.float64
    assert set(make_subspace().document()) <= set(some.state_dict())


def test_a_subspace_too_wide_for_the_students_is_refused() -> None:
    narrow = make_widths()
    features = dict.fromkeys(narrow.features, 3)
    with pytest.raises(ValueError, match="rank 4 does not fit into 3 features"):
        RaCmkd(
            type(narrow)(features, narrow.stages, narrow.teacher_features, narrow.teacher_stages),
            make_subspace(),
        )
