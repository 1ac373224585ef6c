from dataclasses import astuple, replace
from pathlib import Path

import pytest
import torch

from tools.generated import generated
from tools.networks.teacher import Teacher
from tools.training import answers as module
from tools.training.activations import CELLS
from tools.training.answers import Answers, ask, load_answers, save_answers
from tools.training.losses import NOTHING
from tools.training.pools import Drawn, Pools, pools
from tools.training.samples import tensors

SETTINGS: dict[str, object] = {"teacher": "abc", "pictures": 30}


@pytest.fixture(scope="module")
def some() -> Pools:
    return pools([generated(30, seed=3)])


@pytest.fixture(scope="module")
def teacher(some: Pools) -> Teacher:
    """Random, with running statistics and temperatures of its own."""
    torch.manual_seed(0)
    teacher = Teacher().train()
    with torch.no_grad():
        for _ in range(3):
            teacher(tensors(some.images28.inputs), tensors(some.sounds.inputs))
    teacher.tau_visual.fill_(2.0)
    teacher.tau_audio.fill_(0.5)
    return teacher


@pytest.fixture(scope="module")
def given(teacher: Teacher, some: Pools) -> Answers:
    """Asked in several parts, of a teacher in training mode."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH", 13)
        return ask(teacher.train(), some)


def test_answers_are_those_of_the_teacher(teacher: Teacher, some: Pools, given: Answers) -> None:
    teacher.eval()
    images, sounds = tensors(some.images28.inputs), tensors(some.sounds.inputs)
    near = {"rtol": 3e-3, "atol": 3e-3}  # of float16
    with torch.no_grad():
        seen, heard = (
            teacher.visual.activations(images, (2, 2)),
            teacher.audio.activations(sounds, (CELLS, 1)),
        )
        fused = teacher(images, sounds)
    together = given.visual.logits.float() + given.audio.logits.float()
    torch.testing.assert_close(together, fused, **near)
    torch.testing.assert_close(given.visual.logits.float(), seen.logits / 2.0, **near)
    for found, wanted in ((given.visual, seen), (given.audio, heard)):
        torch.testing.assert_close(found.features.float(), wanted.features, **near)
        assert len(found.stages) == len(wanted.stages)
        for stage, direct in zip(found.stages, wanted.stages, strict=True):
            assert stage.shape[2] == CELLS
            torch.testing.assert_close(stage.float(), direct, **near)


def test_a_batch_gets_its_own_rows(some: Pools, given: Answers) -> None:
    drawn = Drawn(torch.tensor([7, 2, 19]), torch.tensor([17, 22, 9]))
    taught = given.take(drawn, some.batch(drawn))
    for found, all_rows, rows in (
        (taught.visual, given.visual, drawn.pictures),
        (taught.audio, given.audio, drawn.sounds),
    ):
        assert found.logits.dtype == found.features.dtype == found.stages[0].dtype == torch.float32
        assert torch.equal(found.logits, all_rows.logits[rows].float())
        assert torch.equal(found.features, all_rows.features[rows].float())
        for stage, all_stages in zip(found.stages, all_rows.stages, strict=True):
            assert torch.equal(stage, all_stages[rows].float())


def test_nothing_is_said_about_what_is_not_there(some: Pools, given: Answers) -> None:
    drawn = Drawn(torch.arange(4), torch.arange(4))
    batch = some.batch(drawn)
    blind, deaf = torch.tensor([1, 0, 1, 0]).bool(), torch.tensor([0, 1, 1, 0]).bool()
    batch = replace(
        batch,
        seen=batch.seen.masked_fill(blind, NOTHING),
        heard=batch.heard.masked_fill(deaf, NOTHING),
    )
    taught = given.take(drawn, batch)
    assert (taught.visual.logits == 0).all(1).tolist() == blind.tolist()
    assert (taught.audio.logits == 0).all(1).tolist() == deaf.tolist()


def test_answers_are_kept_for_the_same_question_only(given: Answers, tmp_path: Path) -> None:
    path = tmp_path / "answers.pt"
    assert load_answers(path, SETTINGS) is None
    save_answers(path, given, SETTINGS)
    loaded = load_answers(path, dict(SETTINGS))
    assert loaded is not None
    for found, wanted in ((loaded.visual, given.visual), (loaded.audio, given.audio)):
        assert torch.equal(found.logits, wanted.logits)
        assert torch.equal(found.features, wanted.features)
        for stage, before in zip(found.stages, wanted.stages, strict=True):
            assert torch.equal(stage, before)
    assert astuple(loaded.visual)[0].dtype == torch.float16
    for key, value in (("teacher", "abd"), ("pictures", 31)):
        assert load_answers(path, SETTINGS | {key: value}) is None
