"""How many channels there are, or are to be expected, as plain numbers or as tensors."""

from typing import Any, NamedTuple

from tools.compression.gates import Gates
from tools.compression.groups import BANDS, BRANCHES
from tools.networks.shape import Shape

Number = Any
"""A float, or a float32 tensor [] with a gradient."""


class Widths(NamedTuple):
    """Channels of every branch, stem first, as in `Shape`.

    Attributes:
        visual_28: of the 28 × 28 branch.
        visual_14: of the 14 × 14 branch.
        audio: of the audio branch.
        bands: mel bands that are heard.
        labels: number of classes.
    """

    visual_28: tuple[Number, ...]
    visual_14: tuple[Number, ...]
    audio: tuple[Number, ...]
    bands: Number
    labels: int


def widths_of(shape: Shape) -> Widths:
    """Return the widths of a shape."""
    first, last = shape.bands
    return Widths(shape.visual_28, shape.visual_14, shape.audio, last - first, shape.labels)


def expected_widths(gates: Gates) -> Widths:
    """Return how many gates of each group are expected to be open, tensors with a gradient."""
    plain = widths_of(gates.shape)
    found: dict[str, list[Number]] = {name: list(getattr(plain, name)) for name in BRANCHES}
    bands = plain.bands
    for name, probabilities in gates.open().items():
        expected = probabilities.sum()
        if name == BANDS:
            bands = expected
        for entry in gates.groups[name].entries:
            found[gates.groups[name].branch][entry] = expected
    return Widths(
        tuple(found["visual_28"]),
        tuple(found["visual_14"]),
        tuple(found["audio"]),
        bands,
        plain.labels,
    )
