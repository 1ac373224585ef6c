"""RA-CMKD: resource-aware cross-modal knowledge distillation, and what it is without each part."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor, nn

from edge_daemon.tier import TIERS, Tier
from tools.alignment.contrast import instance_contrast, prototype_contrast, subspace_distance
from tools.alignment.projection import Projection
from tools.alignment.subspace import Subspace
from tools.methods.divergence import softened_divergence
from tools.methods.method import (
    MODALITY,
    OTHER,
    SMOOTHING,
    Method,
    Widths,
    tier_teaching,
)
from tools.resource.coefficients import ResourceWeights, coefficients, resource_weights
from tools.resource.draw import draw_headroom
from tools.training.activations import TIER_OUTPUTS, Learnt, Taught
from tools.training.batch import Batch
from tools.training.losses import NOTHING, cross_entropy

Resource = Callable[[Tier, ResourceWeights[Tensor]], Tensor]
"""Returns what a tier costs beyond its budget [], given how MACs, bytes and latency weigh."""


@dataclass(frozen=True)
class Options:
    """The parts of the method, and its constants.

    Attributes:
        conditioned: whether the four coefficients follow the headroom R.
        align: what features are contrasted with; "none" leaves the alignment out.
        cross_modal: whether a student is taught across modalities as well: by the fused teacher
            and by the projected features of the other modality.
        gates: whether channels can be closed, and their cost is a loss.
        fused: what the divergence from the fused teacher counts, in that from the branch of the
            same modality. Little: where one modality has answered, the sum teaches the other
            nothing. For the same reason no tier's sum is trained on the labels.
        tau: softmax `tau` of the answers.
        align_tau: what the cosines of the contrast are divided by.
    """

    conditioned: bool = True
    align: Literal["prototypes", "instances", "none"] = "prototypes"
    cross_modal: bool = True
    gates: bool = True
    fused: float = 0.1
    tau: float = 2.0
    align_tau: float = 0.1


ABLATIONS = {
    "ra_cmkd": Options(),
    "ra_cmkd_without_conditioning": Options(conditioned=False),
    "ra_cmkd_without_alignment": Options(align="none"),
    "ra_cmkd_with_instances": Options(align="instances"),
    "ra_cmkd_without_cross_modal": Options(cross_modal=False),
    "ra_cmkd_without_gates": Options(gates=False),
}
"""The method whole, and without each of its parts."""


class RaCmkd(Method):
    """Trains each tier on α(R) · task + β(R) · distill + γ(R) · align + δ(R) · resource.

    The headroom R is drawn anew for every tier and step from the room that leads to the tier.

    Args:
        widths: of students and teacher.
        subspace: where the teacher's modalities meet; None where nothing is aligned.
        name: what these options are called.
        options: the parts that are on.
        resource: the cost of a tier; None where nothing is gated.

    Raises:
        ValueError: The subspace has more dimensions than a student's features, or is missing.
    """

    calibrated = True

    def __init__(
        self,
        widths: Widths,
        subspace: Subspace | None,
        name: str = "ra_cmkd",
        options: Options | None = None,
        resource: Resource | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.options = options or Options()
        self.resource = resource if self.options.gates else None
        self.projections = nn.ModuleDict()
        if self.options.align == "none":
            return
        if subspace is None:
            raise ValueError(f"align={self.options.align!r} needs a subspace")
        for output, width in widths.features.items():
            self.projections[output] = Projection(width, subspace.rank)
        for part, tensor in subspace.document().items():
            self.register_buffer(part, tensor)

    @property
    def subspace(self) -> Subspace:
        """The subspace, on the device that this module is on."""
        return Subspace(**{field.name: self.get_buffer(field.name) for field in fields(Subspace)})

    def losses(
        self,
        batch: Batch,
        taught: Taught,
        learnt: Learnt,
        progress: float,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return `task`, `distill`, `align` and `resource`, weighted and summed over the tiers."""
        task, distill = self.by_output(batch, taught, learnt)
        align = self.alignment(batch, taught, learnt)
        terms: dict[str, list[Tensor]] = {}
        for tier in TIERS:
            outputs = TIER_OUTPUTS[tier]
            headroom = draw_headroom(tier, generator)
            conditioned = self.options.conditioned
            alpha, beta, gamma, delta = coefficients(headroom, conditioned=conditioned)
            weighted = {
                "task": alpha * mean([task[output] for output in outputs]),
                "distill": beta * mean([distill[output] for output in outputs]),
            }
            if self.options.cross_modal:
                fused = tier_teaching(batch, taught, tier)
                across = softened_divergence(learnt.tier(tier), fused, self.options.tau)
                weighted["distill"] = weighted["distill"] + beta * self.options.fused * across
            if align:
                weighted["align"] = gamma * mean([align[output] for output in outputs])
            if self.resource is not None:
                shares = resource_weights(headroom, conditioned=conditioned)
                weighted["resource"] = delta * self.resource(tier, shares)
            for name, term in weighted.items():
                terms.setdefault(name, []).append(term)
        return {name: torch.stack(parts).sum() for name, parts in terms.items()}

    def by_output(
        self, batch: Batch, taught: Taught, learnt: Learnt
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return each output's cross-entropy [] and divergence [] from its own modality."""
        task = {}
        distill = {}
        for name, made in learnt.outputs.items():
            task[name] = cross_entropy(made.logits, batch.wanted(name), SMOOTHING)
            teacher = taught.same(name).logits
            distill[name] = softened_divergence(made.logits, teacher, self.options.tau)
        return task, distill

    def alignment(self, batch: Batch, taught: Taught, learnt: Learnt) -> dict[str, Tensor]:
        """Return how far each output's features are from where they belong []; {} without it."""
        if self.options.align == "none":
            return {}
        subspace = self.subspace
        paired = (batch.seen != NOTHING) & (batch.heard != NOTHING)
        teacher = {
            "visual": subspace.project(taught.visual.features, "visual"),
            "audio": subspace.project(taught.audio.features, "audio"),
        }
        terms = {}
        for name, made in learnt.outputs.items():
            z = self.projections[name](made.features)
            known = batch.wanted(name) != NOTHING
            same = teacher[MODALITY[name]]
            if self.options.align == "prototypes":
                wanted = batch.wanted(name)[known]
                contrast = prototype_contrast(
                    z[known], wanted, subspace.prototypes, self.options.align_tau
                )
            else:
                contrast = instance_contrast(z[known], same[known], self.options.align_tau)
            terms[name] = contrast + subspace_distance(z[known], same[known])
            if self.options.cross_modal:
                other = teacher[OTHER[MODALITY[name]]]
                terms[name] = terms[name] + subspace_distance(z[paired], other[paired])
        return terms


def mean(terms: list[Tensor]) -> Tensor:
    """Return the mean [] of terms []."""
    return torch.stack(terms).mean()
