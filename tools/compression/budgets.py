"""The hard budgets: what no model may exceed, whatever its accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from edge_daemon.tier import Tier
from tools.compression.cost import Cost


@dataclass(frozen=True)
class Budget:
    """What one tier may cost.

    Attributes:
        macs: multiply-accumulates of one inference.
        bytes: of the int8 model file.
        latency_us: of one inference on the machine that `cost` was fitted on; None for no limit.
    """

    macs: int
    bytes: int
    latency_us: float | None = None


DEFAULT: Mapping[Tier, Budget] = MappingProxyType(
    {
        Tier.HIGH: Budget(macs=1_500_000, bytes=44_000, latency_us=39.0),
        Tier.MEDIUM: Budget(macs=1_250_000, bytes=44_000, latency_us=36.5),
        Tier.LOW: Budget(macs=850_000, bytes=18_000, latency_us=24.5),
        Tier.CRITICAL: Budget(macs=360_000, bytes=14_000, latency_us=19.0),
    }
)


@dataclass(frozen=True)
class Budgets:
    """What the tiers may cost, one by one and together.

    Attributes:
        tiers: every tier's budget.
        bytes: of all files together.
    """

    tiers: Mapping[Tier, Budget] = field(default_factory=lambda: DEFAULT)
    bytes: int = 120_000

    def exceeded(self, costs: Mapping[Tier, Cost]) -> dict[Tier, list[str]]:
        """Return the tiers that cost too much, and what of; empty where all is within.

        Where only the sum of the files is too large, every tier has too many bytes.
        """
        found = {
            tier: over
            for tier, budget in self.tiers.items()
            if (over := check(costs[tier], budget))
        }
        total = sum(float(cost.bytes) for cost in costs.values())
        if total > self.bytes:
            text = f"{total:.0f} bytes of at most {self.bytes} in all files together"
            for tier in costs:
                found[tier] = [*found.get(tier, []), text]
        return found


def check(cost: Cost, budget: Budget) -> list[str]:
    """Say what of a tier's cost is over its budget, one text each; empty where all is within."""
    pairs = {
        "MACs": (cost.macs, budget.macs),
        "bytes": (cost.bytes, budget.bytes),
        "µs": (cost.latency_us, budget.latency_us),
    }
    return [
        f"{float(spent):.0f} {unit} of at most {most:.0f}"
        for unit, (spent, most) in pairs.items()
        if most is not None and float(spent) > most
    ]
