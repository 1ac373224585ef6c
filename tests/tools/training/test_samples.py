import numpy as np
import pytest
import torch

from tools.training.losses import NOTHING, cross_entropy, targets
from tools.training.samples import joined, samples, tensors


def test_targets_are_uniform_where_there_is_nothing() -> None:
    wanted = targets(torch.tensor([2, NOTHING]), classes=4, smoothing=0.1)
    torch.testing.assert_close(
        wanted, torch.tensor([[0.025, 0.025, 0.925, 0.025], [0.25, 0.25, 0.25, 0.25]])
    )


def test_cross_entropy_equals_torch() -> None:
    logits, labels = torch.randn(20, 10), torch.randint(0, 10, (20,))
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.2)
    torch.testing.assert_close(cross_entropy(logits, labels, 0.2), expected)


def test_flat_logits_are_best_where_there_is_nothing() -> None:
    labels = torch.tensor([NOTHING])
    flat = cross_entropy(torch.zeros(1, 10), labels)
    assert flat == pytest.approx(np.log(10.0))
    assert cross_entropy(torch.tensor([[1.0] + [0.0] * 9]), labels) > flat


def test_black_inputs_are_nothing() -> None:
    inputs = np.zeros((3, 4, 5), np.uint8)
    inputs[1, 2, 3] = 9
    some = samples(inputs, np.array([7, 8, -1], np.int8))
    assert some.labels.tolist() == [NOTHING, 8, NOTHING]
    assert tensors(some.inputs).shape == (3, 4, 5, 1)
    assert tensors(some.inputs).max() == pytest.approx(9 / 255)


def test_batches_are_seeded_and_complete() -> None:
    some = samples(np.arange(1, 11, dtype=np.uint8).reshape(10, 1, 1), np.arange(10))
    runs = []
    for seed in (0, 0, 1):
        generator = torch.Generator().manual_seed(seed)
        runs.append([batch.labels.tolist() for batch in some.batches(5, generator)])
    assert runs[0] == runs[1] != runs[2]
    assert sorted(label for batch in runs[0] for label in batch) == list(range(10))
    assert len(list(some.batches(4, torch.Generator()))) == 2


def test_joined_keeps_order() -> None:
    first = samples(np.full((2, 1, 1), 1, np.uint8), np.array([1, 2]))
    second = samples(np.full((1, 1, 1), 2, np.uint8), np.array([3]))
    assert joined(first, second).labels.tolist() == [1, 2, 3]
