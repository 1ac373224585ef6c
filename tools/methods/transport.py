"""The EMD baseline: every stage learns from every stage, as much as optimal transport says."""

import torch
from torch import Tensor, nn

from tools.alignment.transport import flow, reweighted, stage_distances
from tools.methods.hinton import tier_divergence
from tools.methods.labels import tier_cross_entropy
from tools.methods.method import MODALITY, Method, Widths
from tools.training.activations import Activations, Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import NOTHING


class Transport(Method):
    """Trains on labels, the teacher's softened answer and Σ flow · distance of the stages.

    BERT-EMD (Li et al. 2020, "Many-to-many layer mapping for BERT compression with earth mover's
    distance") on convolutions: a student's stages, each through a 1 × 1 projection for every
    teacher stage, against those of the teacher's branch of the same modality. The flow is a
    constant to the gradient; the stages' weights are estimated anew after every step.

    Args:
        widths: of students and teacher.
        tau: softmax `tau` of the answers.
    """

    name = "transport"
    calibrated = False

    def __init__(self, widths: Widths, tau: float = 2.0) -> None:
        super().__init__()
        self.tau = tau
        self.projections = nn.ModuleDict()
        for name, stages in widths.stages.items():
            teacher = widths.teacher_stages[MODALITY[name]]
            self.projections[name] = nn.ModuleList(
                nn.Linear(width, sum(teacher)) for width in stages
            )
            for side, count in (("student", len(stages)), ("teacher", len(teacher))):
                weights = torch.full((count,), 1.0 / count, dtype=torch.float64)
                self.register_buffer(f"{side}_{name}", weights)

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the terms `task`, `distill` and `transport`."""
        terms = [
            self.transport(name, made, taught.same(name), batch.wanted(name) != NOTHING)
            for name, made in learnt.outputs.items()
        ]
        return {
            "task": tier_cross_entropy(batch, learnt),
            "distill": tier_divergence(batch, taught, learnt, self.tau),
            "transport": torch.stack(terms).sum(),
        }

    def transport(
        self, name: str, learnt: Activations, taught: Activations, rows: Tensor
    ) -> Tensor:
        """Return one output's transport cost [] and estimate its stages' weights anew."""
        projected = torch.stack(
            [
                project(stage.transpose(1, 2))
                for project, stage in zip(self.projections[name], learnt.stages, strict=True)
            ]
        )
        distances = stage_distances(projected, taught.stages, rows)
        fixed = distances.detach().double().cpu().numpy()
        student, teacher = (self.get_buffer(f"{side}_{name}") for side in ("student", "teacher"))
        given, taken = student.cpu().numpy(), teacher.cpu().numpy()
        moved = flow(fixed, given, taken)
        costs = moved * fixed
        student.copy_(torch.from_numpy(reweighted(given, costs.sum(1))))
        teacher.copy_(torch.from_numpy(reweighted(taken, costs.sum(0))))
        return (torch.from_numpy(moved).to(distances) * distances).sum()
