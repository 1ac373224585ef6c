"""Margins of a measured profile: what a tier would cost from here, against what there is.

Nothing is asked of a resource that has no value: the policy deals with what is not known.
"""

import math

from edge_daemon.governor.estimate import Estimate, clock_share
from edge_daemon.governor.heat import rise_c
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.pressure import charge_pressure
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.slowdown import expected_cycle_ms, own_share, quantile
from edge_daemon.governor.table import table_margin
from edge_daemon.tier import Tier

_LOAD_BAND = 0.1  # how far below `full_load` a tier begins
_COOLER_C = 3.0  # the firmware lets go of the clock this far below where it took hold
_CRITICAL_ENTER_C = 5.0  # a tier begins this much farther from the power-off than it ends
_RUNTIME_ENTER = 1.1
_Z95 = 1.645  # standard deviations from the mean to the 95th percentile


def foreseen_margins(
    tier: Tier,
    running: Tier,
    reading: Reading,
    estimate: Estimate,
    profile: Profile,
    limits: Limits,
    runtime_s: float | None,
) -> list[Margin]:
    """Return a tier's margins as far as they can be foreseen; none for `critical`.

    The time of a window is the profile's, stretched by load, by a clock that heat would slow, and
    by how much slower than foreseen windows have been lately. Memory counts both pipelines for a
    tier above the running one: the next is loaded beside the one that runs. Heat is today's
    temperature plus what the change of load would add within the horizon; near the limit it is
    priced through the clock, and vetoes a tier only near the power-off.

    Args:
        tier: whose margins.
        running: the present tier.
        reading: the last.
        estimate: filtered load and memory, slowdown and heat model.
        profile: a measured one.
        limits: `foreseen`, and the bands of the charge.
        runtime_s: how much longer the charge should last; None where only its bands count.
    """
    if tier is Tier.CRITICAL:
        return []
    rules = limits.foreseen
    cost, now = profile.tiers[tier], profile.tiers[running]
    own = own_share(profile, tier, reading.cores)
    clock_now = clock_share(reading, profile)
    hot_c = reading.temperature_c
    if hot_c is not None and tier is not running:
        more = own - own_share(profile, running, reading.cores)
        hot_c += rise_c(estimate.heat, more * clock_now, rules.horizon_s)
    found: list[Margin] = []
    if estimate.load is not None:
        load = min(1.0, estimate.load + rules.caution_z * estimate.load_sigma)
        load *= clock_now  # what it would be at full clock
        slowed = _slowed(hot_c, clock_now < 1.0, reading, limits)
        clock = profile.slowed if slowed else 1.0
        jitter = max(0.0, cost.cycle_p95_ms / cost.cycle_ms - 1.0) / _Z95
        stretch = quantile(estimate.slowdown, rules.quantile_z, jitter)
        cycle_ms = expected_cycle_ms(profile, tier, load, own, clock) * stretch
        deadline_ms = rules.deadline_ms or profile.period_ms
        enter_ms = rules.enter_share * deadline_ms
        found.append(Margin(tier, "latency_with", cycle_ms, enter_ms, deadline_ms))
        full = rules.full_load
        found.append(Margin(tier, "load_with", load + own, full - _LOAD_BAND, full))
    if estimate.memory_mib is not None:
        room_mib = estimate.memory_mib - rules.caution_z * estimate.memory_sigma_mib
        beside = tier.rank > running.rank
        left_mib = room_mib - cost.memory_mib + (0.0 if beside else now.memory_mib)
        reserve_mib = limits.memory.reserve_mib
        enter_mib = reserve_mib + rules.memory_margin_mib
        found.append(Margin(tier, "memory_with", left_mib, enter_mib, reserve_mib))
    if hot_c is not None and reading.temperature_critical_c is not None:
        distance_c = reading.temperature_critical_c - hot_c
        off_c = limits.temperature.critical_margin_c + 1.0
        enter_c = off_c + _CRITICAL_ENTER_C
        found.append(Margin(tier, "critical_distance_with", distance_c, enter_c, off_c))
    if reading.on_mains is not True:
        lasts_s = _lasts_s(reading.runtime_s, estimate.power_w, cost.power_w, now.power_w)
        if lasts_s is not None and runtime_s is not None:
            enter_s = runtime_s * _RUNTIME_ENTER
            found.append(Margin(tier, "runtime_with", lasts_s, enter_s, runtime_s))
        elif (charge := charge_pressure(reading, limits)) is not None:
            found.append(table_margin(tier, charge))
    # A broken sensor may say anything; what cannot be compared is no margin.
    return [margin for margin in found if math.isfinite(margin.value)]


def _slowed(hot_c: float | None, slowed_now: bool, reading: Reading, limits: Limits) -> bool:
    """Whether the firmware would slow the board at `hot_c`."""
    limit_c = limits.temperature.limit_c or reading.temperature_limit_c
    if hot_c is None or limit_c is None:
        return slowed_now
    return hot_c >= (limit_c - _COOLER_C if slowed_now else limit_c)


def _lasts_s(
    left_s: float | None, power_w: float | None, tier_w: float | None, now_w: float | None
) -> float | None:
    """Return how long the charge lasts in a tier that takes `tier_w`; None where nobody can say."""
    if left_s is None or power_w is None or tier_w is None or now_w is None:
        return None
    return left_s * power_w / max(0.01, power_w + tier_w - now_w)
