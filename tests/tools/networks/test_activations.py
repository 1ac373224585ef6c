import json
from dataclasses import replace

import pytest
import torch

from edge_daemon.tier import TIERS
from tools.networks.shape import Shape, shape_of
from tools.networks.student import OUTPUTS, Students
from tools.training.activations import CELLS, TIER_OUTPUTS
from tools.training.batch import Batch

NARROW = Shape(
    visual_28=(8, 12, 12, 16, 16),
    visual_14=(8, 12, 12, 20),
    audio=(12, 12, 8, 8, 16, 16),
    bands=(3, 35),
    labels=7,
)


def students_of(shape: Shape) -> Students:
    """Random students whose running statistics are not the initial ones, in evaluation mode."""
    torch.manual_seed(1)
    students = Students(shape).train()
    for _ in range(3):
        students.learn(batch(8, shape))
    for number, name in enumerate(OUTPUTS):
        students.tau(name).fill_(0.7 + 0.3 * number)
    return students.eval()


def batch(count: int, shape: Shape) -> Batch:
    """Random pairs."""
    first, last = shape.bands
    labels = torch.arange(count) % 7
    images28, images14 = torch.rand(count, 28, 28, 1), torch.rand(count, 14, 14, 1)
    return Batch(images28, images14, torch.rand(count, 64, last - first, 1), labels, labels)


@pytest.mark.parametrize("shape", [Shape(), NARROW])
def test_a_tier_says_the_sum_of_its_outputs(shape: Shape) -> None:
    students = students_of(shape)
    some = batch(5, shape)
    learnt = students.learn(some)
    assert tuple(learnt.outputs) == OUTPUTS
    for tier in TIERS:
        student = students.tier(tier)
        image = some.images14 if student.visual.size == 14 else some.images28
        sound = some.sounds[:, : student.columns] if student.columns else None
        torch.testing.assert_close(learnt.tier(tier), student(image, sound))
        assert len(TIER_OUTPUTS[tier]) == (1 if sound is None else 2)


@pytest.mark.parametrize("shape", [Shape(), NARROW])
def test_widths_are_the_shapes(shape: Shape) -> None:
    students = students_of(shape)
    outputs = students.learn(batch(5, shape)).outputs
    a, b, c = shape.visual_28, shape.visual_14, shape.audio
    widths = {
        "28": (a[0], a[2], a[4]),  # 28, 14 and 7 rows
        "14": (b[0], b[1], b[3]),  # the stem's, 14 and 7 rows
        "full": (c[0], c[1], c[3], c[5]),  # the stem's, 64, 32 and 16 columns
        "prefix": (c[0], c[1], c[3], c[5]),
    }
    assert students.visual_28.stage_widths == widths["28"]
    assert students.visual_14.stage_widths == widths["14"]
    assert students.audio.stage_widths == widths["full"]
    for name, some in outputs.items():
        assert some.logits.shape == (5, shape.labels)
        assert some.features.shape == (5, widths[name][-1])
        assert [stage.shape for stage in some.stages] == [(5, w, CELLS) for w in widths[name]]


def test_places_lie_where_they_should() -> None:
    students = students_of(Shape())
    picture, sound = torch.zeros(1, 28, 28, 1), torch.zeros(1, 64, 40, 1)
    lit = picture.clone()
    lit[:, 2:10, 18:26] = 1.0  # top right: the second of the 2 × 2 places
    before, after = students.visual_28.activations(picture), students.visual_28.activations(lit)
    assert changed(before.stages[0], after.stages[0]) == [False, True, False, False]
    heard = sound.clone()
    heard[:, 41:45] = 1.0  # after the prefix; the third span of 16 columns, whose future it is
    (whole, prefix), (whole_after, prefix_after) = (
        students.audio.activations(some) for some in (sound, heard)
    )
    assert changed(whole.stages[0], whole_after.stages[0]) == [False, False, True, False]
    for stage, stage_after in zip(prefix.stages, prefix_after.stages, strict=True):
        assert changed(stage, stage_after) == [False] * 4
    heard[:, 12:18] = 1.0  # columns 12 to 20 of the stem: the second quarter of the prefix alone
    assert changed(prefix.stages[0], students.audio.activations(heard)[1].stages[0]) == [
        False,
        True,
        False,
        False,
    ]


def changed(before: torch.Tensor, after: torch.Tensor) -> list[bool]:
    """Say of each place of [1, C, CELLS] whether anything is different."""
    return (before != after).any(1)[0].tolist()


def test_only_the_listed_block_is_residual() -> None:
    # Two widths that become equal by pruning must not connect what was not connected.
    students = Students(NARROW)
    assert [block.residual for block in students.visual_28.blocks] == [False, False, False, True]
    assert not any(block.residual for block in students.visual_14.blocks)
    assert [block.residual for block in students.audio.blocks] == [True, False, True, False, True]


def test_a_shape_survives_its_document() -> None:
    folded = replace(NARROW, folded=True)
    for shape in (NARROW, folded):
        document = json.loads(json.dumps(shape.document()))  # tuples become lists
        assert shape_of(document) == shape_of(shape.document()) == shape
    older = {key: value for key, value in NARROW.document().items() if key != "folded"}
    assert shape_of(older) == NARROW
    assert Students(folded).load_state_dict(Students(folded).state_dict())
