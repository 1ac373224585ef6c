"""What the teacher says about every picture and every sound: asked once, looked up ever after."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tools.networks.teacher import Teacher, TeacherBranch
from tools.training.activations import Activations, Taught
from tools.training.batch import Batch
from tools.training.checkpoint import load_checkpoint, save_checkpoint
from tools.training.losses import NOTHING
from tools.training.pools import Drawn, Pools
from tools.training.progress import Progress
from tools.training.samples import Samples, tensors

PICTURE_CELLS, SOUND_CELLS = (2, 2), (4, 1)
"""Places of a stage that are told apart, `CELLS` in all."""

BATCH = 500


@dataclass(frozen=True)
class Answers:
    """The teacher's activations for the pools, float16; the logits are calibrated.

    Students see their inputs varied; the teacher saw them as they are. Its answer is then a
    better one than it would give to the varied input, and it is needed once only.
    """

    visual: Activations
    audio: Activations

    def take(self, drawn: Drawn, batch: Batch) -> Taught:
        """Return the answers for a batch; logits are 0 where nothing is seen or heard."""
        return Taught(
            rows(self.visual, drawn.pictures, batch.seen),
            rows(self.audio, drawn.sounds, batch.heard),
        )


def rows(some: Activations, chosen: Tensor, labels: Tensor) -> Activations:
    """Return the chosen rows as float32, logits 0 where the label is `NOTHING`."""
    device = labels.device
    known = (labels != NOTHING).float()[:, None]
    return Activations(
        some.logits[chosen].to(device).float() * known,
        some.features[chosen].to(device).float(),
        tuple(stage[chosen].to(device).float() for stage in some.stages),
    )


def ask(teacher: Teacher, pools: Pools) -> Answers:
    """Ask the teacher about everything in the pools."""
    teacher.eval()
    parts = -(-len(pools.images28) // BATCH) - (-len(pools.sounds) // BATCH)
    with Progress("answers", parts) as progress:
        return Answers(
            ask_branch(teacher.visual, pools.images28, teacher.tau_visual, PICTURE_CELLS, progress),
            ask_branch(teacher.audio, pools.sounds, teacher.tau_audio, SOUND_CELLS, progress),
        )


def ask_branch(
    branch: TeacherBranch, some: Samples, tau: Tensor, cells: tuple[int, int], progress: Progress
) -> Activations:
    """Return one branch's activations for all samples in order, logits divided by `tau`."""
    device = tau.device
    found: list[Activations] = []
    with torch.no_grad():
        for part in some.parts(BATCH):
            given = branch.activations(tensors(part.inputs).to(device), cells)
            found.append(
                Activations(
                    (given.logits / tau).half().cpu(),
                    given.features.half().cpu(),
                    tuple(stage.half().cpu() for stage in given.stages),
                )
            )
            progress.advance()
    return Activations(
        torch.cat([part.logits for part in found]),
        torch.cat([part.features for part in found]),
        tuple(torch.cat(stage) for stage in zip(*(part.stages for part in found), strict=True)),
    )


def save_answers(path: Path, answers: Answers, settings: dict[str, object]) -> None:
    """Write answers, and what they depend on."""
    state = {
        name: {"logits": some.logits, "features": some.features, "stages": list(some.stages)}
        for name, some in (("visual", answers.visual), ("audio", answers.audio))
    }
    save_checkpoint(path, {"settings": settings, **state})


def load_answers(path: Path, settings: dict[str, object]) -> Answers | None:
    """Read answers; None where there are none, or those to other questions."""
    state = load_checkpoint(path)
    if state is None or state["settings"] != settings:
        return None
    visual, audio = (
        Activations(some["logits"], some["features"], tuple(some["stages"]))
        for some in (state["visual"], state["audio"])
    )
    return Answers(visual, audio)
