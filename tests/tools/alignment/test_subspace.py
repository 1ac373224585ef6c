import pytest
import torch
from torch import Tensor

from tools.alignment.subspace import (
    SubspaceError,
    class_means,
    shared_subspace,
    subspace_of,
)
from tools.training.losses import NOTHING


def turned(size: int, seed: int) -> Tensor:
    """A random orthogonal matrix, float64 [size, size]."""
    generator = torch.Generator().manual_seed(seed)
    square = torch.randn(size, size, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(square).Q


def placed(points: Tensor, size: int, seed: int) -> Tensor:
    """Points [labels, k] somewhere in `size` dimensions, turned and shifted."""
    labels, k = points.shape
    padded = torch.cat([points, points.new_zeros(labels, size - k)], 1)
    return padded @ turned(size, seed).T + 3.0


def noise(labels: int, size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(labels, size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("rank", [3, 4, 9])
def test_bases_are_orthonormal_and_prototypes_of_length_one(rank: int) -> None:
    subspace = shared_subspace(noise(10, 64, 0), noise(10, 48, 1), rank)
    assert subspace.rank == rank
    for basis, size in ((subspace.visual_basis, 64), (subspace.audio_basis, 48)):
        assert basis.shape == (size, rank)
        torch.testing.assert_close(basis.T @ basis, torch.eye(rank), atol=1e-5, rtol=0)
    torch.testing.assert_close(subspace.prototypes.norm(dim=1), torch.ones(10))


def test_the_same_constellation_coincides_wherever_it_lies() -> None:
    """Four points of a plane, seen in 20 dimensions and, twice as large, heard in 30."""
    points = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [0.0, -1.0]]).double()
    visual, audio = placed(points, 20, 0), 2.0 * placed(points, 30, 1)
    subspace = shared_subspace(visual, audio)
    assert subspace.rank == 2
    seen = subspace.project(visual.float(), "visual")
    heard = subspace.project(audio.float(), "audio")
    torch.testing.assert_close(heard, 2.0 * seen, atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.cdist(seen, seen), torch.cdist(points, points).float())
    unit = torch.nn.functional.normalize(seen, dim=1)
    torch.testing.assert_close(subspace.prototypes, unit, atol=1e-5, rtol=0)


def test_turning_the_audio_features_changes_nothing() -> None:
    visual, audio = noise(10, 32, 0), noise(10, 24, 1)
    turn = turned(24, 2)
    before, after = shared_subspace(visual, audio, 5), shared_subspace(visual, audio @ turn, 5)
    torch.testing.assert_close(before.prototypes, after.prototypes, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        before.project(audio.float(), "audio"),
        after.project((audio @ turn).float(), "audio"),
        atol=1e-4,
        rtol=1e-4,
    )


def test_no_other_turn_brings_the_modalities_nearer() -> None:
    visual, audio = noise(6, 12, 0), noise(6, 9, 1)
    subspace = shared_subspace(visual, audio, 3)

    def agreement(turn: Tensor) -> float:
        seen = subspace.project(visual.float(), "visual")
        heard = subspace.project(audio.float(), "audio") @ turn
        return float(torch.nn.functional.cosine_similarity(seen, heard).sum())

    best = agreement(torch.eye(3))
    assert all(agreement(turned(3, seed).float()) <= best + 1e-5 for seed in range(200))


def test_prototypes_lie_midway() -> None:
    visual, audio = noise(6, 12, 0), noise(6, 9, 1)
    subspace = shared_subspace(visual, audio, 4)
    seen = subspace.project(visual.float(), "visual")
    heard = subspace.project(audio.float(), "audio")
    cosines = [
        torch.nn.functional.cosine_similarity(some, subspace.prototypes) for some in (seen, heard)
    ]
    torch.testing.assert_close(cosines[0], cosines[1], atol=1e-4, rtol=0)


def test_class_means_leave_nothing_out() -> None:
    labels = torch.tensor([0, 1, NOTHING, 1, 2])
    features = torch.tensor([[1.0, 2.0], [4.0, 0.0], [99.0, 99.0], [6.0, 2.0], [0.0, -1.0]])
    means = class_means(features.half(), labels, 3)
    assert means.dtype == torch.float64
    assert means.tolist() == [[1.0, 2.0], [5.0, 1.0], [0.0, -1.0]]


def test_class_means_of_many_samples() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (10_000,), generator=generator)
    features = torch.randn(10_000, 2, generator=generator)
    expected = torch.stack([features[labels == label].double().mean(0) for label in range(3)])
    torch.testing.assert_close(class_means(features, labels, 3), expected)


def test_a_label_without_samples_is_named() -> None:
    with pytest.raises(SubspaceError, match="no sample of label 1, 3"):
        class_means(torch.ones(3, 2), torch.tensor([0, 2, NOTHING]), 4)


@pytest.mark.parametrize("rank", [0, 4])
def test_a_rank_that_the_means_do_not_span_is_refused(rank: int) -> None:
    with pytest.raises(SubspaceError, match=f"rank {rank}: .* span 3 dimensions"):
        shared_subspace(noise(4, 8, 0), noise(4, 9, 1), rank)


def test_modalities_that_contradict_each_other_are_refused() -> None:
    visual, audio = torch.eye(4, 8).double(), torch.eye(4, 9).double()
    visual[:, 0], audio[:, 0] = torch.tensor([9, 9, -9, -9]), torch.tensor([9, -9, 9, -9])
    with pytest.raises(SubspaceError, match=r"rank 1: .* label 1, 2 point|label 0, 3 point"):
        shared_subspace(visual, audio, 1)
    assert shared_subspace(visual, audio).rank == 3


def test_means_that_coincide_are_refused() -> None:
    with pytest.raises(SubspaceError, match="span 0 dimensions"):
        shared_subspace(torch.ones(4, 8).double(), noise(4, 9, 1))


def test_two_labels_share_a_line() -> None:
    subspace = shared_subspace(noise(2, 8, 0), noise(2, 5, 1))
    assert sorted(subspace.prototypes[:, 0].round(decimals=5).tolist()) == [-1.0, 1.0]


def test_a_document_gives_the_subspace_back() -> None:
    subspace = shared_subspace(noise(4, 8, 0), noise(4, 9, 1))
    again = subspace_of(subspace.document())
    assert all(
        torch.equal(tensor, again.document()[name]) for name, tensor in subspace.document().items()
    )
