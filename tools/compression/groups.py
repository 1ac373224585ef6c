"""Which channels live or die together."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from tools.networks.audio import AudioBranch
from tools.networks.student import Students
from tools.networks.visual import VisualBranch

BANDS = "bands"
"""The group of the mel bands that the audio branch hears."""

BRANCHES = ("visual_28", "visual_14", "audio")


@dataclass(frozen=True)
class Group:
    """Maps that share their channels: channel i is in all of them or in none.

    A block that adds its input to its output ties the two. A depthwise convolution has its
    input's channels; its normalisation is in the group as well, because the shift there would
    make a constant of a channel that is zero.

    Attributes:
        name: the branch and the number of the group in it, as in "audio.0"; or `BANDS`.
        branch: one of `BRANCHES`.
        entries: which of the channels that the shape lists for the branch; none for the bands.
        width: channels.
        convs: module paths, from the students, of the `ConvNorm`s that make these channels.
    """

    name: str
    branch: str
    entries: tuple[int, ...]
    width: int
    convs: tuple[str, ...]


def groups(students: Students) -> tuple[Group, ...]:
    """Return the groups of all branches in order of computation, the bands last."""
    found = [
        group for name in BRANCHES for group in branch_groups(name, students.get_submodule(name))
    ]
    return (*found, Group(BANDS, "audio", (), students.audio.bands, ()))


def branch_groups(branch: str, network: VisualBranch | AudioBranch) -> Iterator[Group]:
    """Yield the groups of one branch."""
    number, entries, convs, width = 0, [0], ["stem"], channels(network.stem)
    for index, block in enumerate(network.blocks):
        convs.append(f"blocks.{index}.depthwise")
        if not block.residual:
            yield group(branch, number, entries, width, convs)
            number, entries, convs, width = number + 1, [], [], channels(block.pointwise)
        entries.append(index + 1)
        convs.append(f"blocks.{index}.pointwise")
    if isinstance(network, VisualBranch):
        convs.append("gather")
    yield group(branch, number, entries, width, convs)


def group(branch: str, number: int, entries: list[int], width: int, convs: list[str]) -> Group:
    """Return a group of a branch, its paths made to start at the students."""
    paths = tuple(f"{branch}.{conv}" for conv in convs)
    return Group(f"{branch}.{number}", branch, tuple(entries), width, paths)


def channels(module: nn.Module) -> int:
    """Return the channels that a `ConvNorm` makes."""
    return int(module.conv.out_channels)
