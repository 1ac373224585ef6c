"""Parts of a run; the whole of it is in test_commands.py."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edge_daemon.tier import TIERS
from tools.alignment.subspace import shared_subspace
from tools.compression.budgets import Budgets
from tools.compression.cost import costs
from tools.compression.gates import Gates
from tools.compression.loss import resource_loss
from tools.distil import (
    EVEN,
    GATED,
    QUANTISED_RATE,
    RATE,
    RESOURCE_PRICE,
    SEEDS,
    TUNED,
    Rounds,
    Run,
    starting_shape,
    subspace_of_teacher,
)
from tools.generated import generated
from tools.lesson import Lesson, frozen
from tools.methods import METHODS
from tools.methods.ra_cmkd import ABLATIONS
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.resource.coefficients import ResourceWeights
from tools.training.activations import Activations
from tools.training.answers import Answers
from tools.training.losses import NOTHING
from tools.training.pools import Pools, pools


def answers(count: int, width: int, stages: int, seed: int) -> Activations:
    """Random answers of a teacher, whose features have a mean of their own for each class."""
    generator = torch.Generator().manual_seed(seed)
    return Activations(
        torch.randn(count, 10, generator=generator),
        torch.randn(count, width, generator=generator),
        tuple(torch.randn(count, 5, 4, generator=generator) for _ in range(stages)),
    )


@pytest.fixture(scope="module")
def some() -> Lesson:
    """More sounds than pictures, in another order."""
    dataset = generated(120, seed=3)
    train = pools([dataset])
    order = torch.randperm(120, generator=torch.Generator().manual_seed(1))
    sounds = train.sounds.__class__(train.sounds.inputs[order], train.sounds.labels[order])
    images28, images14 = (
        part.__class__(part.inputs[:90], part.labels[:90])
        for part in (train.images28, train.images14)
    )
    train = Pools(images28, images14, sounds, train.shown[:90], train.said[order.numpy()])
    given = Answers(answers(90, 30, 3, 0), answers(120, 40, 4, 1))
    return Lesson(train, given, pools([dataset]), frozen([dataset]), True, 10)


def test_the_subspace_is_that_of_the_means_of_each_label(some: Lesson) -> None:
    means = []
    for given, labels in (
        (some.answers.visual, some.train.images28.labels),
        (some.answers.audio, some.train.sounds.labels),
    ):
        rows = [given.features[labels == label].double().mean(0) for label in range(10)]
        means.append(torch.stack(rows))
    found = subspace_of_teacher(some, most=6)
    visual, audio = means
    assert found is not None
    for name, wanted in shared_subspace(visual, audio, 6).document().items():
        torch.testing.assert_close(getattr(found, name), wanted)
    widest = subspace_of_teacher(some, most=50)
    assert widest is not None and widest.rank == 9


@pytest.mark.parametrize("pool", ["images28", "sounds"])
def test_nothing_is_shared_of_a_label_that_one_modality_lacks(pool: str, some: Lesson) -> None:
    samples = getattr(some.train, pool)
    labels = samples.labels.masked_fill(samples.labels == 4, NOTHING)
    train = replace(some.train, **{pool: replace(samples, labels=labels)})
    assert subspace_of_teacher(replace(some, train=train), most=6) is None


def test_students_start_within_budgets_or_with_gates() -> None:
    assert not Budgets().exceeded(costs(EVEN))
    for method in METHODS:
        gated = method in ABLATIONS and ABLATIONS[method].gates
        shape = starting_shape(method, labels=7)
        assert shape.labels == 7
        assert shape.audio == (Shape() if gated else EVEN).audio
    assert starting_shape("ra_cmkd", 10) == Shape()


def test_every_round_belongs_to_a_stage() -> None:
    rounds = Rounds(40)
    shares = (GATED, TUNED, 1.0 - GATED - TUNED)
    assert sum(rounds.plan(share, RATE).rounds for share in shares) == 40
    plan = rounds.plan(0.001, QUANTISED_RATE)
    assert (plan.rounds, plan.steps, plan.batch, plan.rate) == (1, 200, 128, QUANTISED_RATE)


def test_each_stage_draws_other_pairs(some: Lesson) -> None:
    stages = [SEEDS[stage] for stage in ("gated", "tuned", "fake_quantised")]
    drawn = [some.train.draw(90, stage, 0).sounds for stage in stages]
    assert not any(torch.equal(drawn[0], other) for other in drawn[1:])


def test_the_price_of_gates_is_what_their_channels_cost(some: Lesson, tmp_path: Path) -> None:
    run = Run("ra_cmkd", lambda bands: some, Rounds(4, 2, 16), 0, tmp_path, Budgets())
    gates = Gates(Students(Shape())).eval()
    with torch.no_grad():
        for name in gates.groups:
            gates.logarithm(name).fill_(20.0)  # all open: the cost is that of the shape
    price = run.expected_cost(gates)
    # Bytes aside: expected widths count as different even where they are equal.
    weights = ResourceWeights(*torch.tensor([0.4, 0.0, 0.6]))
    for tier in TIERS:
        cost = costs(Shape())[tier]
        tensors = cost.__class__(*(torch.tensor(float(part)) for part in cost))
        wanted = RESOURCE_PRICE * resource_loss(tensors, Budgets().tiers[tier], weights)
        torch.testing.assert_close(price(tier, weights), wanted, rtol=1e-3, atol=1e-4)
        assert wanted > 0
