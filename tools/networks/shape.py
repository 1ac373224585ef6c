"""What the students look like: what compression changes and a checkpoint must remember."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    """Channels of every branch, stem first.

    Attributes:
        visual_28: of the 28 × 28 branch.
        visual_14: of the 14 × 14 branch.
        audio: of the audio branch.
        bands: first mel band that is heard, and the one after the last.
        labels: number of classes.
        folded: whether batch normalisation is in the convolutions' weights already.
    """

    visual_28: tuple[int, ...] = (16, 32, 48, 64, 64)
    visual_14: tuple[int, ...] = (16, 32, 48, 64)
    audio: tuple[int, ...] = (48, 48, 48, 48, 64, 64)
    bands: tuple[int, int] = (0, 40)
    labels: int = 10
    folded: bool = False

    def document(self) -> dict[str, Any]:
        """Return plain values; `shape_of` gives the shape back."""
        return asdict(self)


def shape_of(document: dict[str, Any]) -> Shape:
    """Read what `Shape.document` wrote, lists for tuples included."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }
    return Shape(**values)
