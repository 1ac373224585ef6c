import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tools.generated import generated
from tools.training.branch import (
    Schedule,
    accuracies,
    drop_some,
    evaluate_logits,
    train_branch,
)
from tools.training.losses import NOTHING
from tools.training.record import Record
from tools.training.samples import samples, tensors

DATASET = generated(60, seed=3)
PICTURES = samples(DATASET.pictures.images14, DATASET.pictures.labels)
SCHEDULE = Schedule(epochs=3, batch=16, rate=1e-2)


class KilledError(Exception):
    """Stands for the signal that ends a run."""


class Network(nn.Module):
    """Two heads over the small picture, with dropout and running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(196)
        self.dropout = nn.Dropout(0.5)
        self.heads = nn.Linear(196, 20)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map [N, 14, 14, 1] to the logits [N, 10] of two heads."""
        return self.heads(self.dropout(self.norm(images.flatten(1)))).split(10, 1)


def network() -> Network:
    torch.manual_seed(5)
    return Network()


def train(directory: Path, trained: Network, killed_in_step: int | None = None) -> None:
    steps = 0

    def augment(inputs: Tensor, generator: torch.Generator) -> Tensor:
        nonlocal steps
        if steps == killed_in_step:
            raise KilledError
        steps += 1
        return inputs + 0.1 * torch.rand(inputs.shape, generator=generator)

    record = Record(directory / "record.jsonl")
    kept_aside = {"live": PICTURES}
    train_branch(
        "visual", trained, trained, PICTURES, kept_aside, augment, SCHEDULE, 7, directory, record
    )


@pytest.mark.parametrize("killed_in_step", [2, 3, 7])
def test_a_killed_run_goes_on_as_if_it_had_not_been(killed_in_step: int, tmp_path: Path) -> None:
    whole, broken, resumed = (network() for _ in range(3))
    torch.manual_seed(11)
    train(tmp_path / "whole", whole)
    torch.manual_seed(11)
    with pytest.raises(KilledError):
        train(tmp_path / "other", broken, killed_in_step)
    torch.manual_seed(11)  # the command begins as it did; what followed is in the checkpoint
    train(tmp_path / "other", resumed)
    for name, values in whole.state_dict().items():
        assert torch.equal(values, resumed.state_dict()[name]), name


def test_each_epoch_is_recorded(tmp_path: Path) -> None:
    trained = network()
    train(tmp_path, trained)
    text = (tmp_path / "record.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert [(line["stage"], line["epoch"]) for line in found] == [("visual", n) for n in (1, 2, 3)]
    assert found[-1]["loss"] < found[0]["loss"]
    assert found[-1]["accuracy"] == {"live": accuracies(trained, trained, PICTURES)}


def test_evaluation_drops_nothing_and_moves_no_statistics() -> None:
    trained = network().train()
    with torch.no_grad():
        trained(torch.rand(8, 14, 14, 1))
    before = trained.norm.running_mean.clone()
    logits = evaluate_logits(trained.train(), trained, PICTURES)
    again = evaluate_logits(trained.train(), trained, PICTURES)
    assert torch.equal(trained.norm.running_mean, before)
    with torch.no_grad():
        wanted = trained.eval()(tensors(PICTURES.inputs))
    for found, twice, direct in zip(logits, again, wanted, strict=True):
        assert found.shape == (60, 10)
        assert torch.equal(found, twice)
        torch.testing.assert_close(found, direct)


def test_accuracies_leave_out_what_shows_nothing() -> None:
    images = torch.eye(10)[torch.tensor([1, 2, 3, 4, 5])].mul(255).to(torch.uint8)
    some = samples(images.reshape(5, 2, 5).numpy(), torch.tensor([1, 2, 3, 9, 9]).numpy())
    some.labels[4] = NOTHING

    def outputs(inputs: Tensor) -> tuple[Tensor, ...]:
        return inputs.flatten(1), -inputs.flatten(1)

    assert accuracies(nn.Linear(1, 1), outputs, some) == [0.75, 0.0]


def test_dropped_inputs_lose_their_label() -> None:
    inputs, labels = torch.ones(1000, 2, 2, 1), torch.ones(1000, dtype=torch.int64)
    dropped, after = drop_some(inputs, labels, 0.3, torch.Generator().manual_seed(0))
    absent = dropped.flatten(1).amax(1) == 0
    assert 200 < int(absent.sum()) < 400
    assert torch.equal(after == NOTHING, absent)
