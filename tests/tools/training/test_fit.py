import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tools.generated import generated
from tools.training.batch import Batch
from tools.training.checkpoint import CheckpointError
from tools.training.fit import WEIGHT_DECAY, Group, Plan, Step, Terms, fit, optimiser_for
from tools.training.pools import Drawn, pools
from tools.training.record import Record

POOLS = pools([generated(60, seed=3)])
PLAN = Plan(rounds=4, steps=3, batch=16, rate=1e-2)


class KilledError(Exception):
    """Stands for the signal that ends a run."""


class Network(nn.Module):
    """A linear map of the small picture, with dropout and running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(196)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(196, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Map [N, 14, 14, 1] to logits [N, 10]."""
        return self.head(self.dropout(self.norm(images.flatten(1))))


def network() -> Network:
    torch.manual_seed(5)
    return Network()


def train(
    directory: Path,
    trained: Network,
    seed: int = 0,
    plan: Plan = PLAN,
    killed_in_step: int | None = None,
) -> list[float]:
    """Train by labels and a term that draws; return what share was done at each step."""
    shares: list[float] = []

    def step(batch: Batch, drawn: Drawn, progress: float, generator: torch.Generator) -> Terms:
        if len(shares) == killed_in_step:
            raise KilledError
        shares.append(progress)
        logits = trained(batch.images14)
        noise = torch.randn(logits.shape, generator=generator)
        labels = torch.from_numpy(POOLS.shown[drawn.pictures.numpy()]).long()
        return {"task": F.cross_entropy(logits, labels), "noise": 0.1 * (logits * noise).mean()}

    run(directory, [Group([trained])], step, plan, seed)
    return shares


def run(
    directory: Path, groups: list[Group], step: Step, plan: Plan = PLAN, seed: int = 0
) -> list[bool]:
    """Fit; return for every validation whether all was in evaluation mode."""
    modes: list[bool] = []

    def validate() -> dict[str, float]:
        modes.append(not any(module.training for group in groups for module in group.modules))
        return {"high": 0.5}

    record = Record(directory / "record.jsonl")
    fit("stage", groups, step, POOLS, plan, True, seed, directory, record, validate)
    return modes


def lines(directory: Path) -> list[dict[str, Any]]:
    text = (directory / "record.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("killed_in_step", [1, 4, 9, 11])
def test_a_killed_run_goes_on_as_if_it_had_not_been(killed_in_step: int, tmp_path: Path) -> None:
    whole, broken, resumed = (network() for _ in range(3))
    shares = train(tmp_path / "whole", whole)
    assert shares == pytest.approx([step / 12 for step in range(12)])
    with pytest.raises(KilledError):
        train(tmp_path / "other", broken, killed_in_step=killed_in_step)
    torch.manual_seed(99)  # another process
    later = train(tmp_path / "other", resumed)
    assert later == shares[killed_in_step // PLAN.steps * PLAN.steps :]
    for name, values in whole.state_dict().items():
        assert torch.equal(values, resumed.state_dict()[name]), name
    untimed = [
        [{key: value for key, value in line.items() if key not in ("ts", "seconds")} for line in of]
        for of in (lines(tmp_path / "whole"), lines(tmp_path / "other"))
    ]
    assert untimed[0] == untimed[1]


def test_what_is_drawn_after_a_finished_stage_is_the_same_too(tmp_path: Path) -> None:
    train(tmp_path, network())
    wanted = torch.rand(5)
    torch.manual_seed(99)
    assert train(tmp_path, network()) == []
    assert torch.equal(torch.rand(5), wanted)


def test_training_is_seeded_and_teaches(tmp_path: Path) -> None:
    first, other = network(), network()
    train(tmp_path / "0", first, 0, Plan(6, 10, 32, 1e-2))
    train(tmp_path / "1", other, 1, Plan(6, 10, 32, 1e-2))
    assert not torch.equal(first.head.weight, other.head.weight)
    losses = [line["loss"]["task"] for line in lines(tmp_path / "0")]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("seed", "plan"), [(1, PLAN), (0, Plan(5, 3, 16, 1e-2)), (0, Plan(4, 3, 16, 2e-2))]
)
def test_the_checkpoint_of_another_run_is_refused(seed: int, plan: Plan, tmp_path: Path) -> None:
    train(tmp_path, network())
    with pytest.raises(CheckpointError, match=r"stage\.pt: of a run with .*name another --run"):
        train(tmp_path, network(), seed, plan)


def test_the_sum_of_all_terms_is_descended_for_all_groups(tmp_path: Path) -> None:
    ours, gates = nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False)
    seen: list[bool] = []

    def step(batch: Batch, drawn: Drawn, progress: float, generator: torch.Generator) -> Terms:
        seen.append(ours.training and gates.training)
        return {
            "first": 2.0 * ours.weight.sum(),
            "second": 3.0 * ours.weight.sum() - 5.0 * gates.weight.sum(),
        }

    before = ours.weight.detach().clone(), gates.weight.detach().clone()
    modes = run(tmp_path, [Group([ours]), Group([gates], 6.0, decay=False)], step)
    assert ours.weight.grad is not None and gates.weight.grad is not None
    assert ours.weight.grad.tolist() == [[5.0, 5.0]]
    assert gates.weight.grad.tolist() == [[-5.0]]
    assert (ours.weight < before[0]).all() and (gates.weight > before[1]).all()
    # Adam takes steps of the learning rate, whatever the size of a steady gradient.
    assert float((gates.weight - before[1]).detach()) == pytest.approx(
        6.0 * float((before[0] - ours.weight).detach().mean()), rel=0.02
    )
    assert seen == [True] * 12 and modes == [True] * 4


def test_learning_rates_and_decay_are_those_of_the_groups() -> None:
    groups = [Group([nn.Linear(2, 2), nn.Identity()]), Group([nn.Identity()], 3.0)]
    groups.append(Group([nn.Linear(1, 1)], 6.0, decay=False))
    optimiser, cycle = optimiser_for(groups, PLAN)
    assert [len(group["params"]) for group in optimiser.param_groups] == [2, 2]
    assert [group["weight_decay"] for group in optimiser.param_groups] == [WEIGHT_DECAY, 0.0]
    highest = [0.0, 0.0]
    for _ in range(PLAN.rounds * PLAN.steps - 1):
        optimiser.step()
        cycle.step()
        rates = [group["lr"] for group in optimiser.param_groups]
        assert rates[1] == pytest.approx(6.0 * rates[0])
        highest = [max(pair) for pair in zip(highest, rates, strict=True)]
    assert 0.9 * PLAN.rate < highest[0] <= PLAN.rate
    assert rates[0] < 1e-3 * PLAN.rate


def test_a_line_has_the_means_of_its_round(tmp_path: Path) -> None:
    weight, count = nn.Linear(1, 1), iter(range(12))

    def step(batch: Batch, drawn: Drawn, progress: float, generator: torch.Generator) -> Terms:
        assert len(batch) == len(drawn.pictures) == PLAN.batch
        return {"number": 0.0 * weight.bias.sum() + next(count)}

    run(tmp_path, [Group([weight])], step)
    found = lines(tmp_path)
    assert [line["round"] for line in found] == [1, 2, 3, 4]
    assert [line["loss"] for line in found] == [{"number": mean} for mean in (1.0, 4.0, 7.0, 10.0)]
    for line in found:
        assert (line["event"], line["stage"], line["reached"]) == ("round", "stage", {"high": 0.5})


@pytest.mark.parametrize("field", ["rounds", "steps", "batch"])
def test_a_plan_has_something_to_do(field: str) -> None:
    with pytest.raises(ValueError, match="nothing to do"):
        Plan(**asdict(PLAN) | {field: 0})
