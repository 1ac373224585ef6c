import pytest
import torch

from tools.training.calibration import expected_calibration_error, fit_tau
from tools.training.losses import NOTHING


def calibrated(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose softmax is the true distribution of the labels."""
    generator = torch.Generator().manual_seed(0)
    logits = 2.0 * torch.randn(count, 10, generator=generator)
    labels = torch.multinomial(torch.softmax(logits, 1), 1, generator=generator)[:, 0]
    return logits, labels


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_tau_undoes_a_factor(factor: float) -> None:
    logits, labels = calibrated(20_000)
    assert float(fit_tau(factor * logits, labels)) == pytest.approx(factor, rel=0.05)


def test_calibration_error_is_least_when_calibrated() -> None:
    logits, labels = calibrated(20_000)
    assert expected_calibration_error(logits, labels) < 0.02
    assert expected_calibration_error(3.0 * logits, labels) > 0.1


def test_nothing_is_left_out() -> None:
    logits, labels = calibrated(2000)
    expected = fit_tau(logits, labels)
    more = torch.cat([logits, 50.0 * torch.randn(500, 10)])
    padded = torch.cat([labels, torch.full((500,), NOTHING)])
    assert float(fit_tau(more, padded)) == pytest.approx(float(expected))


@pytest.mark.parametrize("doubt", [0.02, 0.05, 0.2])
def test_doubt_bounds_the_certainty_of_samples_that_are_all_right(doubt: float) -> None:
    """The least cross-entropy is where each probability is the target's: one minus the doubt."""
    labels = torch.arange(30) % 3
    logits = 4.0 * torch.nn.functional.one_hot(labels, 3).float()
    certain = torch.softmax(logits / fit_tau(logits, labels, doubt), 1).max(1).values
    assert certain.tolist() == pytest.approx([1.0 - doubt * 2 / 3] * 30, abs=1e-3)
    careless = torch.softmax(logits / fit_tau(logits, labels), 1).max(1).values
    assert careless.min() > 0.9999
