"""Power of the board in each tier, where a battery or a power rail tells."""

import time
from collections.abc import Callable
from statistics import fmean

from edge_daemon.profiling.plan import Plan
from edge_daemon.profiling.stage import Stage
from edge_daemon.profiling.windows import Tell
from edge_daemon.tier import TIERS, Tier

_SAMPLE_S = 0.5


def measure_power(
    stage: Stage, read_w: Callable[[], float | None], plan: Plan, tell: Tell
) -> dict[Tier, float] | None:
    """Return the power of each tier beyond `critical`, in watts, at least 0.

    `critical` is looked at before the others and after them, so that a battery that drains evenly
    favours none.

    Args:
        stage: where windows run.
        read_w: what the board takes now; None where nothing tells. Nothing may smooth it.
        plan: for how long.
        tell: takes what is being done now.

    Returns:
        None where the board does not tell, or stops telling.
    """
    if plan.power_s <= 0.0 or read_w() is None:
        return None
    means: list[float] = []
    for tier in (*TIERS, Tier.CRITICAL):
        tell(f"power in {tier}")
        stage.adopt(tier)
        _run_for(stage, plan.settle_s)
        sampled_w: list[float] = []
        until_s = time.monotonic() + plan.power_s
        while time.monotonic() < until_s:
            _run_for(stage, min(_SAMPLE_S, plan.power_s))
            power_w = read_w()
            if power_w is None:
                return None
            sampled_w.append(power_w)
        means.append(fmean(sampled_w))
    critical_w = fmean((means[0], means[-1]))
    beyond = {
        tier: max(0.0, mean - critical_w) for tier, mean in zip(TIERS, means[:-1], strict=True)
    }
    return {**beyond, Tier.CRITICAL: 0.0}


def _run_for(stage: Stage, span_s: float) -> None:
    until_s = time.monotonic() + span_s
    while time.monotonic() < until_s:
        stage.turn(1)
