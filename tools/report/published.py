"""The publication's figures, and the goals that were set for this reproduction."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """Bytes, time and arithmetic, or shares by which they fall.

    Attributes:
        bytes: of the model in memory.
        latency: of one inference, in µs.
        flops: floating-point operations of one inference.
    """

    bytes: float
    latency: float
    flops: float


ACCURACY = {"teacher": 0.948, "high": 0.923, "medium": 0.895, "low": 0.852, "critical": 0.828}
"""On the publication's own AV-MNIST, whose construction is not public."""

RETENTION = {"high": 0.974, "medium": 0.944, "low": 0.899, "critical": 0.873}
"""Accuracy of a tier as a share of its teacher's."""

TEACHER = Costs(bytes=256.4e6, latency=128.7e3, flops=1250.6e6)

REDUCTION = Costs(bytes=0.834, latency=0.745, flops=0.865)
"""Of `high` against the teacher."""

GOALS = {
    "published": {
        "teacher": 0.965,
        "high": 0.960,
        "medium": 0.950,
        "low": 0.845,
        "critical": 0.840,
    },
    "hard": {"teacher": 0.930, "high": 0.925, "medium": 0.915, "low": 0.660, "critical": 0.655},
    "clean": {"teacher": 0.999, "high": 0.998, "medium": 0.997, "low": 0.994, "critical": 0.992},
    "live": {"high": 0.970, "low": 0.960, "critical": 0.950},
}
"""Accuracy by protocol and tier, of int8 files on the test split."""

CEILINGS = {"published": (0.84, 0.85), "hard": (0.66, 0.67)}
"""What a picture of 6 or 4 components allows, measured with larger networks beforehand."""

BUNDLE_BYTES = 120_000
"""All four tiers together."""

SPEAKERS = 0.90
"""Audio branch on clean words of speakers left out of training, on average."""
