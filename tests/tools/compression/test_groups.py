import torch
import torch_pruning

from tools.compression.groups import BANDS, groups
from tools.compression.prune import dependency_graph
from tools.networks.separable import ConvNorm
from tools.networks.shape import Shape
from tools.networks.student import Students


def test_residual_blocks_tie_their_ends() -> None:
    found = {group.name: group for group in groups(Students())}
    assert found["visual_28.3"].entries == (3, 4)
    assert [found[f"audio.{number}"].entries for number in range(3)] == [(0, 1), (2, 3), (4, 5)]
    assert all(
        group.entries == (int(name[-1]),) for name, group in found.items() if "visual_14" in name
    )


def test_equal_widths_tie_nothing_without_a_residual() -> None:
    shape = Shape(visual_28=(8, 12, 12, 16, 16), visual_14=(8, 8, 8, 8))
    names = [group.name for group in groups(Students(shape))]
    assert sum("visual_28" in name for name in names) == 4
    assert sum("visual_14" in name for name in names) == 4


def test_every_convolution_is_in_one_group_of_its_width() -> None:
    students = Students()
    found: list[str] = []
    for group in groups(students):
        for path in group.convs:
            assert students.get_submodule(path).norm.num_features == group.width
        found += group.convs
    wanted = [name for name, part in students.named_modules() if isinstance(part, ConvNorm)]
    assert sorted(found) == sorted(wanted)


def test_a_group_is_what_torch_pruning_finds_to_depend_on_one_channel() -> None:
    # An independent reading of the graph: traced, not derived from the blocks.
    students = Students()
    names = {part: name for name, part in students.named_modules()}
    for group in groups(students):
        if group.name == BANDS:
            continue
        graph = dependency_graph(students, group.branch)
        first = students.get_submodule(group.convs[0]).conv
        traced = graph.get_pruning_group(first, torch_pruning.prune_conv_out_channels, idxs=[0])
        norms = {
            names[dependency.dep.target.module]
            for dependency in traced
            if isinstance(dependency.dep.target.module, torch.nn.BatchNorm2d)
        }
        assert norms == {f"{path}.norm" for path in group.convs}
