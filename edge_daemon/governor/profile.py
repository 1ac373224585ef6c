"""What each tier costs on this board and is worth: the published figures, or measured ones."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import fields

from edge_daemon.tier import TIERS, Tier

FORMAT = 1
"""Raised when an older daemon could misread a profile."""

Positive = Annotated[float, Meta(gt=0.0, le=1e9)]
NotNegative = Annotated[float, Meta(ge=0.0, le=1e9)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class TierCost(Struct, frozen=True, forbid_unknown_fields=True):
    """One tier.

    Attributes:
        accuracy: share of right answers, 0 to 1: what the tier is worth.
        cycle_ms: median time of a computed window on an otherwise idle board.
        cycle_p95_ms: 95th percentile of the same.
        cpu_ms: CPU time of a window, all threads but those of camera and microphone, whose work is
            the same in every tier.
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
        protocol: what the accuracies were measured on; empty where they are the published ones.
        runtime: name and version of the TFLite runtime that ran the models.
        threads: of each interpreter.
    """

    measured: bool
    tiers: dict[Tier, TierCost]
    format: int = FORMAT
    bundle: str = ""
    bundle_sha256: str = ""
    board: str = ""
    cores: Annotated[float, Meta(gt=0.0, le=4096.0)] = 4.0
    period_ms: Annotated[float, Meta(ge=1.0, le=60_000.0)] = 100.0
    contention: NotNegative = 0.3
    slowed: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.6
    made: str = ""
    protocol: str = ""
    runtime: str = ""
    threads: Annotated[int, Meta(ge=1, le=16)] = 1


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

RISING = ("cycle_ms", "cpu_ms", "memory_mib", "power_w")
"""Costs of which a higher tier has at least as much as the tier below it."""


def disorder(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield what is wrong between values that are right by themselves, and values that are none.

    Yields:
        The key (`tiers.low.cycle_ms`) and what is wrong with it.
    """
    absent = [tier for tier in TIERS if tier not in profile.tiers]
    if absent:
        yield "tiers", f"{', '.join(absent)} missing; all four are needed"
        return
    for key in ("cores", "period_ms", "contention", "slowed"):
        if not math.isfinite(getattr(profile, key)):
            yield key, f"{getattr(profile, key)} is no number"
    for tier in TIERS:
        cost = profile.tiers[tier]
        for field in fields(TierCost):
            value = getattr(cost, field.name)
            if value is not None and not math.isfinite(value):
                yield f"tiers.{tier}.{field.name}", f"{value} is no number"
        if cost.cycle_p95_ms < cost.cycle_ms:
            yield (
                f"tiers.{tier}.cycle_p95_ms",
                f"{cost.cycle_p95_ms:g} is less than the median ({cost.cycle_ms:g})",
            )
    for lower, upper in pairwise(TIERS):
        for name in RISING:
            less, more = (getattr(profile.tiers[tier], name) for tier in (lower, upper))
            if (less is None) is not (more is None):
                yield f"tiers.{upper}.{name}", f"is known of {lower} or of {upper}, but not of both"
            elif less is not None and more < less:
                yield (
                    f"tiers.{upper}.{name}",
                    f"{more:g} is less than in {lower} ({less:g}), but a higher tier costs no less",
                )
