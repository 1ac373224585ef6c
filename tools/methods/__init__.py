"""Methods: what the students are trained to minimise, one file a method."""

from collections.abc import Callable
from dataclasses import replace

from tools.alignment.subspace import Subspace
from tools.methods.experts import Experts
from tools.methods.hinton import Hinton
from tools.methods.labels import Labels
from tools.methods.method import Method, Widths
from tools.methods.pretext import Pretext
from tools.methods.ra_cmkd import ABLATIONS, Options, RaCmkd, Resource
from tools.methods.transfer import Transfer
from tools.methods.transport import Transport

Build = Callable[[Widths, Subspace | None, Resource | None], Method]
"""Makes a method from the widths of students and teacher, the shared subspace and the gates' cost,
of which it takes what it needs. Without a subspace nothing is aligned."""


def _ablation(name: str, options: Options) -> Build:
    def build(widths: Widths, subspace: Subspace | None, resource: Resource | None) -> RaCmkd:
        there = options if subspace is not None else replace(options, align="none")
        return RaCmkd(widths, subspace, name, there, resource)

    return build


METHODS: dict[str, Build] = {
    "labels": lambda widths, subspace, resource: Labels(),
    "experts": lambda widths, subspace, resource: Experts(),
    "hinton": lambda widths, subspace, resource: Hinton(),
    "transfer": lambda widths, subspace, resource: Transfer(widths),
    "transport": lambda widths, subspace, resource: Transport(widths),
    "pretext": lambda widths, subspace, resource: Pretext(widths),
    **{name: _ablation(name, options) for name, options in ABLATIONS.items()},
}
"""All methods by name: the six baselines, RA-CMKD, and RA-CMKD without each of its parts."""
