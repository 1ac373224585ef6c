"""Training one branch: epochs over shuffled batches with AdamW and a one-cycle schedule."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tools.training.checkpoint import Progressing
from tools.training.losses import NOTHING, cross_entropy
from tools.training.progress import Progress
from tools.training.record import Record
from tools.training.samples import Samples, tensors

Outputs = Callable[[Tensor], tuple[Tensor, ...]]
"""Maps float32 inputs [N, rows, columns, 1] to the logits [N, labels] of every head."""

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""Changes a batch of float32 inputs [N, rows, columns, 1], with random numbers from one source."""

SMOOTHING = 0.05
WEIGHT_DECAY = 0.01
ABSENT = 0.03
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        epochs: passes over the training samples.
        batch: samples a step.
        rate: the highest learning rate of the cycle (Smith and Topin 2019).
    """

    epochs: int
    batch: int
    rate: float


def train_branch(
    name: str,
    network: nn.Module,
    outputs: Outputs,
    train: Samples,
    validation: dict[str, Samples],
    augment: Augment,
    schedule: Schedule,
    seed: int,
    directory: Path,
    record: Record,
) -> None:
    """Train a branch in place; goes on from `directory/<name>.pt` where that exists.

    The loss is the sum over all heads. After every epoch a checkpoint is written, and a line with
    the loss and each validation set's accuracy.
    """
    generator = torch.Generator().manual_seed(seed)
    device = next(network.parameters()).device
    optimiser = torch.optim.AdamW(network.parameters(), schedule.rate, weight_decay=WEIGHT_DECAY)
    steps = len(train) // schedule.batch
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.rate, total_steps=steps * schedule.epochs
    )
    settings = {"seed": seed, "samples": len(train), **asdict(schedule)}
    state = Progressing(directory / f"{name}.pt", network, optimiser, cycle, generator, settings)
    first = state.restore()
    with Progress(name, steps * schedule.epochs, steps * first) as progress:
        for epoch in range(first, schedule.epochs):
            began_s = time.monotonic()
            network.train()
            losses = 0.0
            for batch in train.batches(schedule.batch, generator):
                inputs = augment(tensors(batch.inputs), generator)
                inputs, labels = drop_some(inputs, batch.labels, ABSENT, generator)
                inputs, labels = inputs.to(device), labels.to(device)
                loss = torch.stack(
                    [cross_entropy(logits, labels, SMOOTHING) for logits in outputs(inputs)]
                )
                optimiser.zero_grad()
                loss.sum().backward()
                optimiser.step()
                cycle.step()
                losses += float(loss.detach().mean())
                progress.advance()
            reached = {key: accuracies(network, outputs, some) for key, some in validation.items()}
            state.save(epoch + 1)
            seconds = round(time.monotonic() - began_s, 2)
            mean = round(losses / steps, 5)
            record.write(
                "epoch", stage=name, epoch=epoch + 1, loss=mean, seconds=seconds, accuracy=reached
            )
            shown = " ".join(
                f"{key} {'/'.join(f'{100 * value:.2f}' for value in values)}"
                for key, values in reached.items()
            )
            progress.advance(0, f"loss {mean:.3f} {shown}")


def evaluate_logits(network: nn.Module, outputs: Outputs, some: Samples) -> tuple[Tensor, ...]:
    """Return every head's logits [N, labels], the network in evaluation mode."""
    network.eval()
    device = next(network.parameters()).device
    with torch.no_grad():
        parts = [outputs(tensors(part.inputs).to(device)) for part in some.parts(EVALUATION_BATCH)]
    return tuple(torch.cat(head).cpu() for head in zip(*parts, strict=True))


def accuracies(network: nn.Module, outputs: Outputs, some: Samples) -> list[float]:
    """Return every head's share of right answers among the samples that show or say something."""
    labelled = some.labels != NOTHING
    return [
        round(float((logits.argmax(1) == some.labels)[labelled].float().mean()), 5)
        for logits in evaluate_logits(network, outputs, some)
    ]


def drop_some(
    inputs: Tensor, labels: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Black out a share of a batch and label it `NOTHING`: the modality is absent.

    Args:
        inputs: float32 [N, rows, columns, 1].
        labels: int64 [N].
        share: of the batch.
        generator: the source of the random numbers.
    """
    absent = torch.rand(len(labels), generator=generator) < share
    kept = (~absent).float()[:, None, None, None]
    return inputs * kept, torch.where(absent, NOTHING, labels)
