"""The protocols: what is done to pictures and words before a model sees them."""

from dataclasses import dataclass, replace
from typing import Literal

from edge_daemon.features.spec import ImageSpec

ProtocolName = Literal["clean", "published", "hard", "live", "own"]
"""`own` is what a user's own files are: no construction of AV-MNIST, so no `Protocol` either."""

Split = Literal["train", "validation", "validation_last", "test"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One construction of AV-MNIST. Figures of different constructions cannot be ranked.

    Attributes:
        name: what it is called.
        components: principal components of the pictures that are kept; None keeps all.
        photographed: whether pictures are photographs of digits on paper.
        snr_db: lowest and highest signal-to-noise ratio over the word; None adds no noise.
        room: whether words are heard in a room, at a distance and at varying speed.
        partly: share of the words that are cut off by the end of the window.
        wordless: noise without a word, as a share of the words.
        photographs: photographs of each train picture.
        mixes: mixes of each train recording.
        aligned: whether a sound begins with its word, as the clips of a data set do; else the
            word lies anywhere in the last second, and the daemon's detector looks for it.
    """

    name: ProtocolName
    components: int | None
    photographed: bool
    snr_db: tuple[float, float] | None
    room: bool
    partly: float
    wordless: float
    photographs: int = 1
    mixes: int = 8
    aligned: bool = False

    @property
    def heard(self) -> tuple[object, ...]:
        """All that the sounds depend on; protocols that share it share their sounds."""
        return (self.snr_db, self.room, self.partly, self.wordless, self.mixes, self.aligned)


_PUBLISHED = Protocol(
    "published",
    6,
    False,
    (-5.0, -5.0),
    room=False,
    partly=0.0,
    wordless=0.0,
    mixes=48,
    aligned=True,
)

PROTOCOLS: dict[ProtocolName, Protocol] = {
    "clean": Protocol("clean", None, False, None, room=False, partly=0.0, wordless=0.0, mixes=4),
    "published": _PUBLISHED,
    "hard": replace(_PUBLISHED, name="hard", components=4),
    "live": Protocol(
        "live",
        None,
        True,
        (-8.0, 15.0),
        room=True,
        partly=0.3,
        wordless=0.1,
        photographs=3,
    ),
}


def image_specs(protocol: Protocol) -> tuple[ImageSpec, ImageSpec]:
    """Return the specs of the 28×28 and of the 14×14 picture."""
    if protocol.photographed:
        return ImageSpec(28, 28), ImageSpec(14, 14)
    return (
        ImageSpec(28, 28, contrast="none", fit="frame"),
        ImageSpec(14, 14, contrast="none", fit="frame"),
    )
