"""Training all students at once: rounds of pairs, AdamW with a one-cycle schedule, checkpoints."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

import torch
from torch import Tensor, nn

from tools.training.batch import Batch
from tools.training.checkpoint import Progressing
from tools.training.distributed import agreed, average_gradients, leads, make_alike
from tools.training.global_norm import normalised_globally
from tools.training.pools import Drawn, Pools, varied
from tools.training.progress import Progress
from tools.training.record import Record

WEIGHT_DECAY = 0.01

Terms = dict[str, Tensor]
"""The named terms of a loss, each []; what is minimised is their sum."""

Step = Callable[[Batch, Drawn, float, torch.Generator], Terms]
"""Maps a varied batch, the rows it was drawn from and the share of the steps done to a loss."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast.

    Attributes:
        rounds: after each of them there is a checkpoint and a line in the record.
        steps: of each round.
        batch: pairs a step.
        rate: the highest learning rate of the cycle (Smith and Topin 2019).
    """

    rounds: int
    steps: int
    batch: int
    rate: float

    def __post_init__(self) -> None:
        if min(self.rounds, self.steps, self.batch) < 1:
            raise ValueError(f"{self}: nothing to do")


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate.

    Attributes:
        modules: whose parameters.
        factor: of the plan's rate.
        decay: whether weights decay.
    """

    modules: Sequence[nn.Module]
    factor: float = 1.0
    decay: bool = True


def fit(
    name: str,
    groups: Sequence[Group],
    step: Step,
    pools: Pools,
    plan: Plan,
    warp: bool,
    seed: int,
    directory: Path,
    record: Record,
    validate: Callable[[], dict[str, float]],
) -> None:
    """Train in place; goes on from `directory/<name>.pt` where that exists.

    After every round a checkpoint is written, and a line with the mean of each term and what
    `validate` says. All random numbers follow from the seed and the round, so that an
    interrupted run ends where an uninterrupted one does.

    Of processes that train together (`distributed`) all draw the same; the one that leads
    validates and writes. A step has to take its share of the rows by itself, and return losses
    whose mean over the processes is that of the whole batch.

    Raises:
        CheckpointError: the checkpoint there is of another run.
        SharingError: processes that train together cannot.
    """
    trained = nn.ModuleList(module for group in groups for module in group.modules)
    device = next(trained.parameters()).device
    generator = torch.Generator()
    optimiser, cycle = optimiser_for(groups, plan)
    settings = {"seed": seed, "pictures": len(pools.shown), "sounds": len(pools.said)}
    state = Progressing(
        directory / f"{name}.pt", trained, optimiser, cycle, generator, settings | asdict(plan)
    )
    first, total = agreed(state.restore()), plan.rounds * plan.steps
    stream = None if leads() else StringIO()
    with (
        Progress(name, total, plan.steps * first, stream) as progress,
        normalised_globally(trained),
    ):
        make_alike(trained)
        for number in range(first, plan.rounds):
            began_s = time.monotonic()
            trained.train()
            torch.manual_seed(seed + number)  # dropout and gates
            generator.manual_seed(seed + number)
            sums: dict[str, float] = {}
            drawn = pools.draw(plan.steps * plan.batch, seed, number)
            for count, part in enumerate(drawn.parts(plan.batch)):
                batch = varied(pools.batch(part), warp, generator).to(device)
                done = (number * plan.steps + count) / total
                terms = step(batch, part, done, generator)
                optimiser.zero_grad()
                torch.stack(list(terms.values())).sum().backward()
                average_gradients(trained.parameters())
                optimiser.step()
                cycle.step()
                for key, term in terms.items():
                    sums[key] = sums.get(key, 0.0) + float(term.detach())
                progress.advance()
            make_alike(trained)
            trained.eval()
            if not leads():
                continue
            reached = validate()
            state.save(number + 1)
            means = {key: round(value / plan.steps, 5) for key, value in sums.items()}
            seconds = round(time.monotonic() - began_s, 2)
            record.write(
                "round", stage=name, round=number + 1, loss=means, seconds=seconds, reached=reached
            )
            shown = [f"{key} {value:.3f}" for key, value in means.items()]
            shown += [f"{key} {100 * value:.2f}" for key, value in reached.items()]
            progress.advance(0, " ".join(shown))


def optimiser_for(
    groups: Sequence[Group], plan: Plan
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return AdamW and its one-cycle schedule over the whole plan."""
    parameters = [
        {
            "params": [value for module in group.modules for value in module.parameters()],
            "weight_decay": WEIGHT_DECAY if group.decay else 0.0,
        }
        for group in groups
    ]
    rates = [
        plan.rate * group.factor
        for group, values in zip(groups, parameters, strict=True)
        if values["params"]
    ]
    optimiser = torch.optim.AdamW([values for values in parameters if values["params"]], plan.rate)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=plan.rounds * plan.steps
    )
    return optimiser, cycle
