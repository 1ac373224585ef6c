import torch

from tools.training.augment import stripe, vary_spectrograms, warp_pictures


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_warped_pictures_stay_pictures() -> None:
    pictures = torch.zeros(50, 28, 28, 1)
    pictures[:, 10:18, 10:18] = 1.0
    warped = warp_pictures(pictures, seeded())
    assert warped.shape == pictures.shape
    assert warped.min() >= 0.0 and warped.max() <= 1.0
    mass = warped.sum((1, 2, 3)) / 64.0
    assert mass.min() > 0.7 and mass.max() < 1.4
    rows = (warped.sum((2, 3)) * torch.arange(28)).sum(1) / warped.sum((1, 2, 3))
    assert rows.std() > 0.3
    assert (rows - 13.5).abs().max() < 2.0


def test_same_seed_same_change() -> None:
    pictures, sounds = torch.rand(4, 14, 14, 1), torch.rand(4, 64, 40, 1)
    assert torch.equal(warp_pictures(pictures, seeded()), warp_pictures(pictures, seeded()))
    assert torch.equal(
        vary_spectrograms(sounds, 3, seeded()), vary_spectrograms(sounds, 3, seeded())
    )
    assert not torch.equal(
        vary_spectrograms(sounds, 3, seeded()), vary_spectrograms(sounds, 3, seeded(1))
    )


def test_onset_moves_by_at_most_the_shift() -> None:
    sounds = torch.zeros(200, 64, 40, 1)
    sounds[:, 20] = 1.0
    loud = vary_spectrograms(sounds, 3, seeded()).amax((2, 3))
    places = {int(row.argmax()) for row in loud if row.max() > 0}
    assert places == set(range(17, 24))


def test_silence_stays_silent_and_range_is_kept() -> None:
    assert vary_spectrograms(torch.zeros(20, 64, 40, 1), 3, seeded()).max() == 0.0
    varied = vary_spectrograms(torch.rand(20, 64, 40, 1), 3, seeded())
    assert varied.min() >= 0.0 and varied.max() <= 1.0


def test_stripes_are_runs() -> None:
    mask = stripe(500, 40, 8, seeded())
    lengths = mask.sum(1)
    assert lengths.max() == 8
    assert 0.3 < (lengths > 0).float().mean() < 0.6
    starts = (mask[:, 1:] & ~mask[:, :-1]).sum(1) + mask[:, 0]
    assert starts.max() == 1
