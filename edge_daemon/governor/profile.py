"""What each tier costs on this board and is worth: the published figures, or measured ones."""

from typing import Annotated

from msgspec import Meta, Struct

from edge_daemon.tier import Tier

Positive = Annotated[float, Meta(gt=0.0, le=1e9)]
NotNegative = Annotated[float, Meta(ge=0.0, le=1e9)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class TierCost(Struct, frozen=True, forbid_unknown_fields=True):
    """One tier.

    Attributes:
        accuracy: share of right answers, 0 to 1: what the tier is worth.
        cycle_ms: median time of a computed window on an otherwise idle board.
        cycle_p95_ms: 95th percentile of the same.
        cpu_ms: CPU time of a window, all threads.
        memory_mib: memory that the tier takes beyond `critical`, which is always loaded.
        prepare_ms: time to load and warm it beside the running one.
        gap_ms: time without an answer while it is taken over.
        power_w: power of the board beyond that in `critical`; None where nothing measures it.
    """

    accuracy: Share
    cycle_ms: Positive
    cycle_p95_ms: Positive
    cpu_ms: NotNegative
    memory_mib: NotNegative
    prepare_ms: NotNegative = 0.0
    gap_ms: NotNegative = 0.0
    power_w: NotNegative | None = None


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """What the tiers cost.

    Attributes:
        format: of this file.
        measured: whether the costs were measured on this board. With False the published table's
            resource states say what a tier needs.
        tiers: the four tiers' costs.
        bundle: name and version of the bundle that was measured.
        bundle_sha256: hash of its manifest; costs of another bundle say nothing.
        board: model of the board.
        cores: cores that could be used.
        period_ms: time from one window to the next that the costs are for.
        contention: by how much a window's time grows, as a share, when other programs keep all
            cores but one busy.
        slowed: clock of the board that the firmware slows, as a share of its full clock.
        made: when, RFC 3339; for display.
    """

    measured: bool
    tiers: dict[Tier, TierCost]
    format: int = 1
    bundle: str = ""
    bundle_sha256: str = ""
    board: str = ""
    cores: Annotated[float, Meta(gt=0.0, le=4096.0)] = 4.0
    period_ms: Annotated[float, Meta(gt=0.0, le=60_000.0)] = 100.0
    contention: NotNegative = 0.3
    slowed: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.6
    made: str = ""


PUBLISHED = Profile(
    measured=False,
    tiers={
        Tier.CRITICAL: TierCost(0.828, 9.3, 9.3, 9.3, 0.0),
        Tier.LOW: TierCost(0.852, 12.5, 12.5, 12.5, 20.0),
        Tier.MEDIUM: TierCost(0.895, 18.2, 18.2, 18.2, 60.0),
        Tier.HIGH: TierCost(0.923, 32.8, 32.8, 32.8, 120.0),
    },
)
"""The publication's figures; with them the bands of `Limits` decide."""
