"""What each term of the loss weighs, given the headroom R: alpha, beta, gamma and delta.

    L = α(R)·L_task + β(R)·L_distill + γ(R)·L_align + δ(R)·L_resource

All four follow one number, the abundance a(R): a soft minimum, because the scarcest resource alone
decides the tier. They are mixtures of what is right where everything is scarce (a = 0) and where
there is plenty (a = 1), so they sum to 1 for every R. A tight budget leans more on the teacher and
on saving, and less on aligning features, which wants capacity that a small student lacks.
"""

import math
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import torch
from msgspec.structs import astuple
from numpy.typing import NDArray
from torch import Tensor

from edge_daemon.governor.headroom import Headroom

Weight = TypeVar("Weight")

Headrooms: TypeAlias = Headroom | Tensor | NDArray[Any]
"""A headroom, or [..., 4] in the order of its fields: cpu, memory, energy, thermal."""


class Coefficients(NamedTuple, Generic[Weight]):
    """The weights of the loss's four terms, numbers or arrays; at least 0, together 1.

    Attributes:
        alpha: of L_task, the labels.
        beta: of L_distill, the teacher's softened answers.
        gamma: of L_align, the teacher's features.
        delta: of L_resource, what the student costs.
    """

    alpha: Weight
    beta: Weight
    gamma: Weight
    delta: Weight


class ResourceWeights(NamedTuple, Generic[Weight]):
    """How L_resource is split over what a student costs; above 0, together 1.

    Attributes:
        macs: of its multiply-accumulates.
        bytes: of its file's size.
        latency: of the time that it takes.
    """

    macs: Weight
    bytes: Weight
    latency: Weight


PLENTY = Coefficients(alpha=0.50, beta=0.30, gamma=0.15, delta=0.05)
SCARCE = Coefficients(alpha=0.35, beta=0.40, gamma=0.05, delta=0.20)

AVERAGE = Headroom(cpu=0.43, memory=0.43, energy=0.43, thermal=0.43)
"""As abundant as what is drawn for the four tiers is on average."""


@dataclass(frozen=True)
class Balance:
    """The constants of both functions.

    Attributes:
        plenty: the coefficients at R = 1.
        scarce: the coefficients at R = 0.
        softness: width of the soft minimum: a(R) exceeds the least component by at most ln 4 times
            this.
        evenness: what each part of the resource term weighs before any scarcity (0 to 1) is added:
            the smaller, the more a scarce resource takes.
        fixed: the headroom that stands for every other one where losses are not conditioned.
    """

    plenty: Coefficients[float] = PLENTY
    scarce: Coefficients[float] = SCARCE
    softness: float = 0.05
    evenness: float = 0.25
    fixed: Headroom = AVERAGE

    def __post_init__(self) -> None:
        """Refuse constants that break what this module promises.

        Raises:
            ValueError: which constant, and what it must be.
        """
        for name in ("plenty", "scarce"):
            weights = getattr(self, name)
            if min(weights) < 0 or abs(sum(weights) - 1) > 1e-6:
                raise ValueError(f"Balance.{name}: {tuple(weights)} must be ≥ 0 and sum to 1")
        less, more = self.scarce, self.plenty
        if less.beta < more.beta or less.delta < more.delta or less.gamma > more.gamma:
            raise ValueError(
                "Balance.scarce: beta and delta must not be less and gamma not more than those of "
                "plenty: scarcity leans on the teacher and on saving"
            )
        for name in ("softness", "evenness"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Balance.{name}: {getattr(self, name)} must be above 0")


BALANCE = Balance()


def coefficients(
    headroom: Headrooms, balance: Balance = BALANCE, *, conditioned: bool = True
) -> Coefficients[Tensor]:
    """Return the weights of the loss's terms.

    Where any component of R falls, beta and delta never fall and gamma never rises; with the
    default constants alpha falls with gamma. They are differentiable in R.

    Args:
        headroom: R, or [..., 4] of them, each component in 0 to 1.
        balance: the constants.
        conditioned: False gives the weights of `balance.fixed` for every R: the ablation.

    Returns:
        Four tensors [...], on the device and of the dtype of R.

    Raises:
        ValueError: `headroom` is no headroom.
    """
    share = abundance(_tensor(headroom, balance, conditioned), balance.softness)
    weights = (
        low + (high - low) * share for low, high in zip(balance.scarce, balance.plenty, strict=True)
    )
    return Coefficients(*weights)


def resource_weights(
    headroom: Headrooms, balance: Balance = BALANCE, *, conditioned: bool = True
) -> ResourceWeights[Tensor]:
    """Return how the resource term is split over multiply-accumulates, bytes and latency.

    Little memory weighs bytes, little energy or a hot board multiply-accumulates, and busy cores
    latency. The three are equal where nothing is scarce, and where everything is equally scarce.

    Args:
        headroom: R, or [..., 4] of them, each component in 0 to 1.
        balance: the constants.
        conditioned: False gives the split of `balance.fixed` for every R.

    Returns:
        Three tensors [...], on the device and of the dtype of R.

    Raises:
        ValueError: `headroom` is no headroom.
    """
    cpu, memory, energy, thermal = _tensor(headroom, balance, conditioned).unbind(-1)
    power = abundance(torch.stack([energy, thermal], -1), balance.softness)
    wants = torch.stack([1 - power, 1 - memory, 1 - cpu], -1) + balance.evenness
    return ResourceWeights(*(wants / wants.sum(-1, keepdim=True)).unbind(-1))


def abundance(headroom: Tensor, softness: float) -> Tensor:
    """Return a(R): a soft minimum, -s·ln mean exp(-R/s), of the last dimension.

    Equal components give their own value, so a is 0 at R = 0 and 1 at R = 1. It never falls when a
    component rises, lies between their minimum and their mean, and comes nearer to the minimum the
    smaller s is.

    Args:
        headroom: [..., n] in 0 to 1.
        softness: s, above 0.
    """
    count = headroom.shape[-1]
    return softness * (math.log(count) - torch.logsumexp(-headroom / softness, -1))


def _tensor(headroom: Headrooms, balance: Balance, conditioned: bool) -> Tensor:
    """Return [..., 4], checked; the fixed headroom in the place of each where not conditioned."""
    given = astuple(headroom) if isinstance(headroom, Headroom) else headroom
    tensor = torch.as_tensor(given)
    if not tensor.is_floating_point() or tensor.shape[-1:] != (4,):
        raise ValueError(
            f"headroom: a {tensor.dtype} of shape {list(tensor.shape)}; it must be floats [..., 4] "
            "in the order cpu, memory, energy, thermal"
        )
    if not bool(((tensor >= 0) & (tensor <= 1)).all()):
        raise ValueError("headroom: a component is outside 0 to 1, or not a number")
    if conditioned:
        return tensor
    fixed = torch.tensor(astuple(balance.fixed), dtype=tensor.dtype, device=tensor.device)
    return fixed.expand_as(tensor)
