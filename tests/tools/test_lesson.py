from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tools.dataset import Pictures
from tools.generated import generated
from tools.lesson import ANSWERS_FILE, Lesson, frozen, lesson, some_of
from tools.networks.teacher import Teacher
from tools.sources import Sources
from tools.tasks import TASKS
from tools.training.checkpoint import save_checkpoint
from tools.training.pools import Drawn, pools

TASK = TASKS["live"]
"""Two protocols, of which generated data make the same pictures and sounds."""


def write_teacher(run: Path, seed: int) -> None:
    torch.manual_seed(seed)
    teacher = Teacher()
    teacher.tau_audio.fill_(0.5)
    save_checkpoint(run / "teacher.pt", {"teacher": teacher.state_dict(), "labels": 10})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run")
    write_teacher(run, 0)
    return run


@pytest.fixture(scope="module")
def whole(run: Path) -> Lesson:
    """What was asked first, in a run without answers."""
    return lesson(TASK, Sources(None), run)


def test_frozen_pairs_of_several_data_sets_keep_their_labels() -> None:
    first, second = generated(20, seed=1), generated(30, seed=2)
    # More sounds than pictures, so that neither count can stand for the other.
    few = Pictures(
        *(getattr(first.pictures, name)[:12] for name in ("images28", "images14", "labels"))
    )
    first = replace(first, pairs=first.pairs[:12], pictures=few)
    drawn, both = frozen([first, second]), pools([first, second])
    assert drawn.pictures.tolist() == list(range(42))
    shown, said = both.shown[drawn.pictures], both.said[drawn.sounds]
    assert shown.tolist() == said.tolist()
    assert drawn.sounds[12:].tolist() == (second.pairs + 20).tolist()


def test_a_lesson_is_the_data_of_all_protocols_of_the_task(whole: Lesson) -> None:
    assert len(whole.train.shown) == len(whole.answers.visual.logits) == 2 * 600
    assert len(whole.train.said) == len(whole.answers.audio.logits) == 2 * 600
    assert len(whole.validation.shown) == len(whole.pairs.pictures) == 2 * 200
    assert (whole.warp, whole.labels) == (TASK.warp, 10)
    # Validation pictures are none of those that are trained on.
    one = whole.validation.images28.inputs[0]
    assert not (whole.train.images28.inputs == one).flatten(1).all(1).any()


def test_students_may_hear_fewer_bands_than_their_teacher(run: Path, whole: Lesson) -> None:
    before = (run / ANSWERS_FILE).stat().st_mtime_ns
    narrow = lesson(TASK, Sources(None), run, (3, 35))
    assert (run / ANSWERS_FILE).stat().st_mtime_ns == before  # not asked again
    for part in ("train", "validation"):
        heard = getattr(whole, part).sounds.inputs[:, :, 3:35]
        assert torch.equal(getattr(narrow, part).sounds.inputs, heard)
    assert torch.equal(narrow.answers.audio.logits, whole.answers.audio.logits)
    assert torch.equal(narrow.pairs.sounds, whole.pairs.sounds)


def test_asked_first_for_few_bands_the_teacher_hears_all(whole: Lesson, tmp_path: Path) -> None:
    write_teacher(tmp_path, 0)
    narrow = lesson(TASKS["clean"], Sources(None), tmp_path, (3, 35))
    torch.testing.assert_close(narrow.answers.audio.logits, whole.answers.audio.logits[:600])


def test_another_teacher_is_asked_anew(run: Path, whole: Lesson, tmp_path: Path) -> None:
    write_teacher(tmp_path, 1)
    (tmp_path / ANSWERS_FILE).write_bytes((run / ANSWERS_FILE).read_bytes())
    other = lesson(TASK, Sources(None), tmp_path)
    assert not torch.equal(other.answers.visual.logits, whole.answers.visual.logits)


def test_without_a_teacher_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"teacher\.pt: run `python -m tools\.teach`"):
        lesson(TASK, Sources(None), tmp_path)


def test_some_pairs_are_spread_over_all() -> None:
    pairs = Drawn(torch.arange(100), torch.arange(100, 200))
    few = some_of(pairs, 20)
    assert few.pictures.tolist() == list(range(0, 100, 5))
    assert few.sounds.tolist() == list(range(100, 200, 5))
    assert some_of(pairs, 1000).pictures.tolist() == pairs.pictures.tolist()
