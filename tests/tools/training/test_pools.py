from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tools.generated import generated
from tools.training.losses import NOTHING
from tools.training.pools import ABSENT, WORDLESS, Drawn, Pools, pools, varied

COUNT = 100


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made() -> Pools:
    """100 pictures and as many sounds, of which a tenth says nothing."""
    return pools([generated(COUNT, seed=3)])


def everything(some: Pools) -> Drawn:
    return Drawn(torch.arange(len(some.shown)), torch.arange(len(some.shown)))


def centre(pictures: Tensor) -> Tensor:
    """Return the centres of mass [N, 2] of [N, H, W, 1], as shares of the size."""
    mass = pictures.sum((1, 2, 3))
    place = (torch.arange(pictures.shape[1]) + 0.5) / pictures.shape[1]
    rows = (pictures.sum((2, 3)) * place).sum(1) / mass
    columns = (pictures.sum((1, 3)) * place).sum(1) / mass
    return torch.stack([rows, columns], 1)


def test_pairs_have_one_label_but_for_a_share_without_a_word() -> None:
    some = made()
    drawn = some.draw(4000, 0)
    said = some.said[drawn.sounds.numpy()]
    wordless = said < 0
    assert np.array_equal(said[~wordless], some.shown[drawn.pictures.numpy()][~wordless])
    assert 0.6 * WORDLESS < wordless.mean() < 1.4 * WORDLESS


def test_nobody_is_silent_where_every_sound_says_something() -> None:
    some = made()
    speaking = np.flatnonzero(some.said >= 0)
    sounds = replace(
        some.sounds, inputs=some.sounds.inputs[speaking], labels=some.sounds.labels[speaking]
    )
    some = replace(some, sounds=sounds, said=some.said[speaking])
    drawn = some.draw(1000, 0)
    assert np.array_equal(some.said[drawn.sounds], some.shown[drawn.pictures])


def test_every_picture_comes_before_any_comes_again() -> None:
    pictures = made().draw(2 * COUNT + 7, 0).pictures
    assert len(pictures) == 2 * COUNT + 7
    first, second = pictures[:COUNT], pictures[COUNT : 2 * COUNT]
    for part in (first, second):
        assert sorted(part.tolist()) == list(range(COUNT))
    assert not torch.equal(first, second)


def test_pairs_follow_from_the_seed() -> None:
    some = made()
    drawn = some.draw(100, 4, 2)
    again, other = some.draw(100, 4, 2), some.draw(100, 4, 3)
    assert torch.equal(drawn.pictures, again.pictures) and torch.equal(drawn.sounds, again.sounds)
    assert not torch.equal(drawn.pictures, other.pictures)
    assert not torch.equal(drawn.sounds, other.sounds)


def test_parts_are_whole_batches_in_order() -> None:
    drawn = Drawn(torch.arange(10), torch.arange(10, 20))
    parts = list(drawn.parts(4))
    assert [part.pictures.tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [part.sounds.tolist() for part in parts] == [[10, 11, 12, 13], [14, 15, 16, 17]]


def test_pools_of_two_data_sets_follow_one_another() -> None:
    first, second = generated(20, seed=1), generated(30, seed=2)
    second.pictures.images28[4] = 0
    both = pools([first, second])
    assert len(both.shown) == len(both.said) == 50
    # A black picture is nothing to be learnt from; it still has a sound of its label.
    assert both.images28.labels[24] == NOTHING
    assert both.shown[24] == second.pictures.labels[4]
    assert both.sounds.labels[both.said < 0].tolist() == [NOTHING] * int((both.said < 0).sum())
    batch = both.batch(Drawn(torch.tensor([3, 25]), torch.tensor([19, 20])))
    for found, wanted in (
        (batch.images28[0], first.pictures.images28[3]),
        (batch.images28[1], second.pictures.images28[5]),
        (batch.images14[1], second.pictures.images14[5]),
        (batch.sounds[0], first.sounds.columns[19]),
        (batch.sounds[1], second.sounds.columns[0]),
    ):
        assert torch.equal(found[..., 0], torch.from_numpy(wanted).float() / 255.0)
    assert batch.seen.tolist() == [3, 5]
    assert batch.heard.tolist() == [9, 0]


def test_both_sizes_of_a_picture_are_warped_alike() -> None:
    some = made()
    batch = some.batch(everything(some))
    after = varied(batch, True, seeded())
    kept = after.seen != NOTHING
    moved28, moved14 = (
        (centre(later) - centre(earlier))[kept]
        for earlier, later in (
            (batch.images28, after.images28),
            (batch.images14, after.images14),
        )
    )
    assert moved28.std() > 0.02
    assert (moved28 - moved14).abs().max() < 0.2 * moved28.abs().max()


def test_what_is_taken_away_is_black_and_labelled_so() -> None:
    some = made()
    many = Drawn(*(torch.arange(6000) % COUNT for _ in range(2)))
    batch = some.batch(many)
    after = varied(batch, False, seeded())
    blind = after.seen == NOTHING
    assert 0.7 * ABSENT < blind.float().mean() < 1.3 * ABSENT
    assert after.images28[blind].max() == after.images14[blind].max() == 0.0
    # Without warping the others are as they were.
    for name in ("images28", "images14", "seen"):
        assert torch.equal(getattr(after, name)[~blind], getattr(batch, name)[~blind])
    deaf = (after.heard == NOTHING) & (batch.heard != NOTHING)
    assert 0.7 * ABSENT < deaf.float().mean() < 1.3 * ABSENT
    assert after.sounds[deaf].max() == 0.0
    assert after.sounds[~deaf & (batch.heard != NOTHING)].amax((1, 2, 3)).min() > 0.0
    assert torch.equal(after.heard[~deaf], batch.heard[~deaf])
    assert (blind & deaf).float().mean() < 0.3 * ABSENT


def test_the_same_seed_varies_alike() -> None:
    some = made()
    batch = some.batch(everything(some))
    first, again, other = (varied(batch, True, seeded(seed)) for seed in (1, 1, 2))
    for name in ("images28", "images14", "sounds"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))
