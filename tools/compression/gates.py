"""Gates: every group of channels learns whether it is worth its cost.

Hard-concrete gates (Louizos, Welling and Kingma 2018, "Learning sparse neural networks through
L0 regularisation"): while training a gate is a random number in 0 to 1 that is exactly 0 or 1 with
some probability, and the probability of not being 0 has a gradient.
"""

import math

import torch
from torch import Tensor, nn

from tools.compression.groups import BANDS, Group, groups
from tools.networks.student import Students

BETA = 2.0 / 3.0
"""How soft a gate is."""
LOW, HIGH = -0.1, 1.1
"""A gate is stretched to this interval and cut to 0 to 1, which gives the ends their mass."""
SHIFT = BETA * math.log(-LOW / HIGH)
CLOSED = 1.0 / (1.0 + (-HIGH / LOW) ** (1.0 - BETA))
"""Probability of being open, 0.31, under which the deterministic gate is exactly 0."""
INITIAL = 2.0
"""A new gate's parameter: open with probability 0.97."""


class Gates(nn.Module):
    """One gate for each channel of each group of the students, and one for each mel band.

    While training, every use sees the gates of the last `draw`: call it once before each step. In
    evaluation mode they are deterministic and no draw is needed. Give the parameters a learning
    rate of their own and no weight decay, which would pull a gate towards half open.

    Args:
        students: those whose channels are counted; see `attach`.
        bands: whether mel bands have gates.
        initial: the parameter of every gate at first.

    Raises:
        ValueError: the students are folded: there is nothing left for a gate to scale.
    """

    def __init__(self, students: Students, bands: bool = True, initial: float = INITIAL) -> None:
        super().__init__()
        if students.shape.folded:
            raise ValueError("folded students cannot have gates: attach them before folding")
        self.shape = students.shape
        self.groups: dict[str, Group] = {
            group.name: group for group in groups(students) if bands or group.name != BANDS
        }
        self.parameters_of = nn.ParameterDict(
            {
                key(name): nn.Parameter(torch.full((group.width,), initial))
                for name, group in self.groups.items()
            }
        )
        self._drawn: dict[str, Tensor] = {}

    def logarithm(self, name: str) -> Tensor:
        """Return the parameters [width] of a group, the paper's log alpha."""
        return self.parameters_of[key(name)]

    def open(self) -> dict[str, Tensor]:
        """Return each group's probabilities [width] of not being exactly 0."""
        return {name: torch.sigmoid(self.logarithm(name) - SHIFT) for name in self.groups}

    def values(self, name: str) -> Tensor:
        """Return a group's factors [width]: those drawn while training, else their estimate.

        Raises:
            RuntimeError: in training mode before the first `draw`.
        """
        if not self.training:
            return self.estimate(name)
        if name not in self._drawn:
            raise RuntimeError("gates in training mode: call draw() before every step")
        return self._drawn[name]

    def estimate(self, name: str) -> Tensor:
        """Return a group's deterministic factors [width], some of them exactly 0 or 1."""
        return stretched(torch.sigmoid(self.logarithm(name)))

    def train(self, mode: bool = True) -> "Gates":
        """As for any module; what was drawn is forgotten where training ends."""
        if not mode:
            self._drawn = {}
        return super().train(mode)

    def draw(self, generator: torch.Generator | None = None) -> None:
        """Draw all gates anew; without a generator, from torch's global one."""
        self._drawn = {name: hard_concrete(self.logarithm(name), generator) for name in self.groups}

    def attach(self, students: Students) -> None:
        """Let the gates multiply the students' channels; weights and checkpoints are as before."""
        for group in self.groups.values():
            for path in group.convs:
                students.get_submodule(path).gate = Reader(self, group.name)
        if BANDS in self.groups:
            students.audio.band_gate = Reader(self, BANDS)

    def detach(self, students: Students) -> None:
        """Undo `attach`."""
        for group in self.groups.values():
            for path in group.convs:
                students.get_submodule(path).gate = None
        students.audio.band_gate = None


class Reader:
    """What a convolution holds of its gates: no module, so that its checkpoint has no gates.

    Args:
        gates: all gates.
        name: the group.
    """

    def __init__(self, gates: Gates, name: str) -> None:
        self._gates = gates
        self._name = name

    def __call__(self) -> Tensor:
        """Return the factors [width] of now."""
        return self._gates.values(self._name)


def hard_concrete(logarithm: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw gates [width] whose parameters are `logarithm` [width]."""
    noise = torch.rand(logarithm.shape, generator=generator).clamp_(1e-6, 1.0 - 1e-6)
    noise = noise.to(logarithm.device)  # a CPU's generator, wherever the gates are
    return stretched(torch.sigmoid((noise.logit() + logarithm) / BETA))


def stretched(values: Tensor) -> Tensor:
    """Stretch numbers in 0 to 1 to `LOW` to `HIGH` and cut them at 0 and 1."""
    return (values * (HIGH - LOW) + LOW).clamp(0.0, 1.0)


def band_slice(probabilities: Tensor, width: int) -> tuple[int, int]:
    """Return the first of `width` neighbouring bands and the one after the last: the most mass.

    Args:
        probabilities: of each band's gate being open, [bands].
        width: bands to keep; the runtime computes one contiguous slice.
    """
    if not 1 <= width <= len(probabilities):
        raise ValueError(f"{width} bands of {len(probabilities)}: keep at least 1 and at most all")
    mass = probabilities.detach().double().unfold(0, width, 1).sum(1)
    first = int(mass.argmax())
    return first, first + width


def key(name: str) -> str:
    """Return a group's name as torch allows it in a checkpoint: without dots."""
    return name.replace(".", "_")
