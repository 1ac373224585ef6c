"""A profile from everything that is measured."""

import os
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from edge_daemon.governor.boards import board_limits
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.profile import PUBLISHED, RISING, Profile, TierCost
from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.interpreter import runtime_version
from edge_daemon.profiling.conditions import unfit
from edge_daemon.profiling.contention import measure_contention
from edge_daemon.profiling.memory import measure_memory
from edge_daemon.profiling.plan import Plan
from edge_daemon.profiling.power import measure_power
from edge_daemon.profiling.stage import Setting, stage
from edge_daemon.profiling.windows import Tell, measure_windows
from edge_daemon.tier import TIERS, Tier

FIRST_PROTOCOL = "live"
_NOISE = 0.10  # a difference that is not worth a remark


class Measured(NamedTuple):
    """What came out.

    Attributes:
        profile: the costs.
        remarks: what a reader should know about them.
        troubles: what spoilt them.
    """

    profile: Profile
    remarks: tuple[str, ...]
    troubles: tuple[str, ...]


def measure_profile(
    bundle: Bundle, setting: Setting, plan: Plan, *, root: Path, board: str, made: str, tell: Tell
) -> Measured:
    """Measure every tier on this device.

    Args:
        bundle: the models.
        setting: what of the config counts.
        plan: for how long.
        root: the filesystem root that the board is read under.
        board: what to call it.
        made: the present time, RFC 3339.
        tell: takes what is being done now.

    Raises:
        ProfilingError: a tier does not work, or a process could not be measured.
    """
    probes = Probes(root)
    try:
        cores = probes.read().cores or float(len(os.sched_getaffinity(0)))
        with (
            tempfile.TemporaryDirectory(prefix="edge-daemon-profile-") as directory,
            stage(bundle, Path(directory), setting, plan.pace_ms) as run,
        ):
            probes.read()  # the load is counted from here
            windows = measure_windows(run, plan, tell)
            during = probes.read()
            contention = measure_contention(run, plan, cores, tell)
            power_w = measure_power(run, lambda: _power_w(root), plan, tell)
        memory_mib = measure_memory(bundle, setting, plan.processes, tell)
    finally:
        probes.close()
    protocol, accuracies = accuracies_of(bundle)
    found = {
        tier: TierCost(
            accuracy=accuracies[tier],
            cycle_ms=round(windows[tier].cycle_ms, 4),
            cycle_p95_ms=round(windows[tier].cycle_p95_ms, 4),
            cpu_ms=round(windows[tier].cpu_ms, 4),
            memory_mib=round(memory_mib[tier], 3),
            prepare_ms=round(windows[tier].prepare_ms, 3),
            gap_ms=round(windows[tier].gap_ms, 4),
            power_w=None if power_w is None else round(power_w[tier], 3),
        )
        for tier in TIERS
    }
    costs, remarks = risen(found)
    profile = Profile(
        measured=True,
        tiers=costs,
        bundle=f"{bundle.name} {bundle.version}",
        bundle_sha256=bundle.sha256,
        board=board,
        cores=cores,
        period_ms=setting.period_ms,
        contention=round(contention, 3),
        slowed=board_limits(board).slowed,
        made=made,
        protocol=protocol,
        runtime=runtime_version(),
        threads=setting.threads,
    )
    if not protocol:
        remarks.append(
            "accuracy: the bundle's manifest does not say, so the published figures stand here"
        )
    if power_w is None:
        remarks.append("power: neither a battery that discharges nor a power rail tells")
    return Measured(profile, tuple(remarks), tuple(unfit(during)))


def accuracies_of(bundle: Bundle) -> tuple[str, dict[Tier, float]]:
    """Return the accuracy of each tier and the protocol that it was measured by.

    That is `live` where all tiers have it, else the first one that all have; where there is none,
    the published figures and an empty protocol.
    """
    by_tier = {
        tier: {accuracy.protocol: accuracy.value for accuracy in spec.accuracy}
        for tier, spec in bundle.tiers.items()
    }
    shared = [name for name in by_tier[Tier.HIGH] if all(name in by_tier[tier] for tier in TIERS)]
    if not shared:
        return "", {tier: PUBLISHED.tiers[tier].accuracy for tier in TIERS}
    protocol = FIRST_PROTOCOL if FIRST_PROTOCOL in shared else shared[0]
    return protocol, {tier: by_tier[tier][protocol] for tier in TIERS}


def risen(found: Mapping[Tier, TierCost]) -> tuple[dict[Tier, TierCost], list[str]]:
    """Return the costs with none below that of the tier before, and remarks where that changed one.

    A higher tier does everything that a lower one does and more; where it seems to cost less, that
    is noise, and the careful one of the two figures is the larger.
    """
    costs = dict(found)
    remarks: list[str] = []
    for lower, upper in pairwise(TIERS):
        for name in RISING:
            less, more = getattr(costs[lower], name), getattr(costs[upper], name)
            if less is None or more is None or more >= less:
                continue
            costs[upper] = replace(costs[upper], **{name: less})
            if more < (1.0 - _NOISE) * less:
                remarks.append(
                    f"{name} of {upper} came out at {more:g}, below that of {lower}: taken as "
                    f"{less:g}"
                )
        cost = costs[upper]
        costs[upper] = replace(cost, cycle_p95_ms=max(cost.cycle_p95_ms, cost.cycle_ms))
    return costs, remarks


def _power_w(root: Path) -> float | None:
    """Return what the board takes now, by probes that know no earlier value to smooth it with."""
    probes = Probes(root)
    try:
        return probes.read().power_w
    finally:
        probes.close()
