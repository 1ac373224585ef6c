"""Training on several processes at once, of one machine or of many: what they share, and how.

    torchrun --nproc-per-node 2 -m -- tools.distil --data DIRECTORY --task published

Every process draws and varies the same batches, puts its own share of the rows through the
students, and gathers what all have learnt. So each loss is that of the whole batch, whatever it
does with the rows: means over those that are labelled and contrasts among all of them come out as
in one process. So do the statistics of batch normalisation (`global_norm`) and of fake
quantisation, and the gradients, once they are averaged.

The gradients are averaged here, in one piece, and not by `DistributedDataParallel`: that wraps one
call of one module, while a step calls students, gates and what a method trains beside them, and
not all of it in every phase.

The directory of a run has to be one that all processes see; the first one, who leads, alone
writes. Without torchrun there is one process, and all functions here do nothing.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tools.networks.student import Students
from tools.training.activations import Activations, Learnt
from tools.training.batch import Batch
from tools.training.device import device

LONGEST_WAIT = timedelta(hours=6)
"""After it a process that waits gives up; one makes all data while the others wait."""


class SharingError(Exception):
    """The work cannot be shared like this; the text says why and what to do."""


@contextmanager
def processes(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Join the processes that torchrun started, where it did, and leave them at the end.

    They talk through NCCL where there are GPUs, one for each process, and through gloo elsewhere.

    Raises:
        SharingError: there are more processes than GPUs on this machine.
    """
    if int(environment.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    if torch.cuda.is_available():
        number, gpus = int(environment["LOCAL_RANK"]), torch.cuda.device_count()
        if number >= gpus:
            raise SharingError(f"process {number} has no GPU: use torchrun --nproc-per-node {gpus}")
        torch.cuda.set_device(number)
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        dist.destroy_process_group()


def count() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def leads() -> bool:
    """Whether this process is the one that writes."""
    return count() == 1 or dist.get_rank() == 0


def for_lead(path: Path) -> Path:
    """Return where this process appends: to the path if it leads, else to nowhere."""
    return path if leads() else Path(os.devnull)


@contextmanager
def lead_first() -> Iterator[None]:
    """Let the others begin when the one who leads is done: what it makes and keeps, they read."""
    if not leads():
        dist.barrier()
    yield
    if leads() and count() > 1:
        dist.barrier()


def rows_each(rows: int) -> int:
    """Return how many of a batch's rows each process takes.

    Raises:
        SharingError: they cannot be shared equally.
    """
    if rows % count():
        raise SharingError(
            f"{rows} pairs a step cannot be shared equally by {count()} processes: "
            "start as many as divide it"
        )
    return rows // count()


def learn_together(students: Students, batch: Batch) -> Learnt:
    """Return what the students make of a batch [N], of which this process sees its share.

    Raises:
        SharingError: the batch cannot be shared equally.
    """
    if count() == 1:
        return students.learn(batch)
    # One by one: what no loss looks at has no gradient then, as in one process, rather than one
    # of zeros, by which weights would decay.
    return Learnt(
        {
            name: Activations(
                gathered(made.logits),
                gathered(made.features),
                tuple(gathered(stage) for stage in made.stages),
            )
            for name, made in students.learn(share(batch)).outputs.items()
        }
    )


def share(batch: Batch) -> Batch:
    """Return the rows of a batch that belong to this process.

    Raises:
        SharingError: they cannot be shared equally.
    """
    each = rows_each(len(batch))
    rows = slice(each * dist.get_rank(), each * (dist.get_rank() + 1))
    return Batch(*(getattr(batch, field.name)[rows] for field in fields(batch)))


def gathered(x: Tensor) -> Tensor:
    """Return all processes' rows [count · n, …] in their order, from as many [n, …] of each.

    Gradients flow back to every process's rows, summed over the processes.
    """
    joined: Tensor = _Gather.apply(x)
    return joined


class _Gather(torch.autograd.Function):
    """Concatenation over processes; its adjoint sums and takes the own rows."""

    @staticmethod
    def forward(_: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(count())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(_: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        summed = gradient.contiguous().clone()
        dist.all_reduce(summed)
        return summed.chunk(count())[dist.get_rank()]


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes.

    Args:
        parameters: the same ones in every process; those without a gradient have none anywhere.
    """
    if count() == 1:
        return
    gradients = [some.grad for some in parameters if some.grad is not None]
    means = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(means)
    means /= count()
    pieces = means.split([gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))


def outermost(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lowest and the highest [] of all processes' values, without gradient."""
    if count() == 1:
        return low, high
    ends = torch.stack((low, -high))
    dist.all_reduce(ends, dist.ReduceOp.MIN)
    return ends[0], -ends[1]


def make_alike(network: nn.Module) -> None:
    """Give all processes the weights and statistics of the one that leads."""
    if count() == 1:
        return
    for value in network.state_dict().values():
        sent = value.contiguous()
        dist.broadcast(sent, 0)
        value.copy_(sent)


def agreed(rounds: int) -> int:
    """Return the rounds that are done, which must be the same number for all processes.

    Raises:
        SharingError: they found different checkpoints.
    """
    if count() > 1:
        found = gathered(torch.tensor([rounds], device=device())).tolist()
        if len(set(found)) > 1:
            raise SharingError(
                f"processes go on after different rounds, {found}: "
                "let --run be a directory that all of them see"
            )
    return rounds
