"""Physical removal of the channels whose gates are closed: a smaller network, no masks."""

import copy

import torch
import torch_pruning
from torch import Tensor

from tools.compression.budgets import Budgets
from tools.compression.gates import Gates
from tools.compression.groups import BANDS, BRANCHES
from tools.compression.selection import select
from tools.networks.audio import AudioBranch
from tools.networks.student import Students
from tools.networks.visual import VisualBranch


def remove_closed(students: Students, gates: Gates, budgets: Budgets) -> Students:
    """Return smaller students without gates, in evaluation mode; the given ones stay as they are.

    Which channels are kept is `select`'s decision. The gates' deterministic values are multiplied
    into batch normalisation and, for the bands, into the first kernel. What is removed beyond the
    closed channels (to meet the budgets, or because an open band lies apart from the others)
    changes the answers; otherwise they are the same.

    Raises:
        BudgetError: the budgets cannot be met.
    """
    selection = select(students.shape, gates.groups, gates.open(), budgets)
    cut = without_gates(students, gates)
    for name in BRANCHES:
        graph = dependency_graph(cut, name)
        for group in gates.groups.values():
            closed = sorted(set(range(group.width)) - set(selection.kept(group.name)))
            if group.branch != name or not closed:
                continue
            if group.name == BANDS:
                first, prune = cut.audio.stem.conv, torch_pruning.prune_conv_in_channels
            else:
                first = cut.get_submodule(group.convs[0]).conv
                prune = torch_pruning.prune_conv_out_channels
            graph.get_pruning_group(first, prune, idxs=closed).prune()
    smaller = Students(selection.shape)
    smaller.load_state_dict(cut.state_dict())
    return smaller.eval()


def without_gates(students: Students, gates: Gates) -> Students:
    """Return a copy on the CPU, in evaluation mode, with the gates' estimates in its weights."""
    copied = copy.deepcopy(students).cpu().eval()
    gates.detach(copied)
    with torch.no_grad():
        for group in gates.groups.values():
            factors = gates.estimate(group.name).cpu()
            for path in group.convs:
                norm = copied.get_submodule(path).norm
                norm.weight.mul_(factors)
                norm.bias.mul_(factors)
            if group.name == BANDS:
                copied.audio.stem.conv.weight.mul_(factors[:, None, None])
    return copied


def dependency_graph(students: Students, name: str) -> torch_pruning.DependencyGraph:
    """Trace a branch: which layers must lose a channel together (Fang et al. 2023, "DepGraph")."""
    branch = students.get_submodule(name)
    if name == "audio":
        example = torch.rand(1, branch.columns, branch.bands, 1)
    else:
        example = torch.rand(1, branch.size, branch.size, 1)
    return torch_pruning.DependencyGraph().build_dependency(
        branch, example_inputs=example, forward_fn=all_logits, verbose=False
    )


def all_logits(branch: VisualBranch | AudioBranch, inputs: Tensor) -> tuple[Tensor, ...]:
    """Return the logits of every head of a branch."""
    return branch.both(inputs) if isinstance(branch, AudioBranch) else (branch(inputs),)
