import pytest
import torch

from edge_daemon.tier import TIERS, Tier
from tests.tools.training.narrow import made_pairs, made_pools, made_students
from tools.training import validation
from tools.training.validation import tier_accuracies


def test_accuracies_are_those_of_the_tiers_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "BATCH", 13)
    students, some = made_students(), made_pools()
    pairs = made_pairs(some)
    found = tier_accuracies(students, some, pairs)
    for tier in TIERS:
        student = students.tier(tier)
        right = shown = 0
        for picture, sound in zip(pairs.pictures.tolist(), pairs.sounds.tolist(), strict=True):
            if some.images28.inputs[picture].max() == 0:
                continue  # shows nothing
            images = some.images14 if tier is Tier.CRITICAL else some.images28
            image = images.inputs[picture][None, :, :, None] / 255.0
            heard = some.sounds.inputs[sound][None, : student.columns, :, None] / 255.0
            with torch.no_grad():
                logits = student(image, heard if student.columns else None)
            right += int(logits.argmax()) == int(some.shown[picture])
            shown += 1
        assert shown == 98
        assert found[str(tier)] == pytest.approx(right / shown, abs=1e-5)
    assert set(found) == set(TIERS)
    assert len(set(found.values())) > 1


def test_pairs_that_show_nothing_count_for_nothing() -> None:
    students, some = made_students(), made_pools()
    pairs = made_pairs(some)
    black = pairs.__class__(pairs.pictures[[4, 17]], pairs.sounds[[4, 17]])
    assert set(tier_accuracies(students, some, black).values()) == {0.0}
