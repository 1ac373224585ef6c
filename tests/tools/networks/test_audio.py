import pytest
import torch

from tools.networks.audio import AudioBranch


@pytest.fixture
def branch() -> AudioBranch:
    """A branch in evaluation mode with running statistics that are not the initial ones."""
    torch.manual_seed(0)
    branch = AudioBranch()
    branch.train()
    for _ in range(3):
        branch.both(torch.rand(16, 64, 40, 1))
    return branch.eval()


def test_the_future_does_not_reach_the_past(branch: AudioBranch) -> None:
    sound = torch.rand(2, 64, 40, 1)
    for heard in (8, 23, 40):
        changed = sound.clone()
        changed[:, heard:] = torch.rand(2, 64 - heard, 40, 1)
        columns = -(-heard // branch.step)
        before, after = branch.maps(sound), branch.maps(changed)
        torch.testing.assert_close(before[:, :, :columns], after[:, :, :columns])
        assert not torch.allclose(before[:, :, columns:], after[:, :, columns:])


def test_the_first_column_reaches_the_last_map(branch: AudioBranch) -> None:
    sound = torch.rand(1, 64, 40, 1)
    changed = sound.clone()
    changed[:, 31] = 0.0
    assert not torch.allclose(branch.maps(sound)[:, :, 8:], branch.maps(changed)[:, :, 8:])


def test_partial_of_a_prefix_is_what_both_gives(branch: AudioBranch) -> None:
    sound = torch.rand(3, 64, 40, 1)
    whole, partial = branch.both(sound)
    torch.testing.assert_close(whole, branch(sound))
    torch.testing.assert_close(partial, branch.partial(sound[:, :40]))


def test_bands_are_channels(branch: AudioBranch) -> None:
    assert branch.stem.conv.weight.shape == (48, 40, 3, 1)
    sound = torch.zeros(1, 64, 40, 1)
    sound[0, 5, 7] = 1.0
    # One lit band and column: the stem sees its weights, last column of the kernel first.
    with torch.no_grad():
        out = torch.nn.functional.pad(sound.permute(0, 2, 1, 3), (0, 0, 2, 0))
        out = branch.stem.conv(out)
    torch.testing.assert_close(out[0, :, 5, 0], branch.stem.conv.weight[:, 7, 2, 0])
