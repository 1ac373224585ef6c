"""Distillation of answers: the divergence between softened posteriors."""

from torch import Tensor
from torch.nn import functional as F


def softened_divergence(learnt: Tensor, taught: Tensor, tau: float) -> Tensor:
    """Return tau² · KL(teacher ‖ student) [], the mean over a batch (Hinton, Vinyals, Dean 2015).

    The square keeps the gradient's size independent of `tau`. It is 0 if and only if both logits
    differ by no more than a constant in every row.

    Args:
        learnt: the student's logits, float32 [N, labels].
        taught: the teacher's logits, [N, labels].
        tau: what both are divided by before the softmax, > 0.
    """
    student = F.log_softmax(learnt / tau, 1)
    teacher = F.log_softmax(taught / tau, 1)
    return tau**2 * F.kl_div(student, teacher, reduction="batchmean", log_target=True)
