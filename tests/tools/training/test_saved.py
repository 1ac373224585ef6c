from pathlib import Path

import pytest
import torch

from tests.tools.training.narrow import SHAPE, made_pairs, made_pools, made_students
from tools.training.saved import STUDENTS_FILE, load_students, save_students


@pytest.mark.parametrize("folded", [False, True])
def test_pruned_students_come_back_as_they_were(folded: bool, tmp_path: Path) -> None:
    students = made_students(folded)
    assert save_students(tmp_path / "run", students) == tmp_path / "run" / STUDENTS_FILE
    loaded = load_students(tmp_path / "run")
    assert loaded.shape == students.shape
    assert loaded.shape.visual_28 == SHAPE.visual_28 and loaded.shape.folded is folded
    assert not loaded.training
    some = made_pools()
    batch = some.batch(made_pairs(some))
    with torch.no_grad():
        found, wanted = loaded.learn(batch), students.learn(batch)
    for name, made in wanted.outputs.items():
        assert torch.equal(found.outputs[name].logits, made.logits), name


def test_the_remedy_is_named_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"students\.pt: run `python -m tools\.distil`"):
        load_students(tmp_path)
