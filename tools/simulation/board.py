"""The simulated board: what is assumed of its cores, its memory, its heat and its tiers.

Nothing here was measured by us on a board. The accuracies and latencies are the published ones;
the two time constants and gains are those that a Raspberry Pi 4 was found to have; everything else
is assumed, and every figure is an argument.
"""

from dataclasses import dataclass, field, replace

from edge_daemon.governor.profile import Profile, TierCost
from edge_daemon.tier import TIERS, Tier


@dataclass(frozen=True, slots=True)
class TierNeeds:
    """What one tier takes and is worth.

    Attributes:
        accuracy: share of right answers.
        cycle_ms: median time of a window on an idle board at full clock; one thread.
        memory_mib: all that the daemon occupies in this tier.
    """

    accuracy: float
    cycle_ms: float
    memory_mib: float


def _published() -> dict[Tier, TierNeeds]:
    return {
        Tier.CRITICAL: TierNeeds(0.828, 9.3, 16.0),
        Tier.LOW: TierNeeds(0.852, 12.5, 30.0),
        Tier.MEDIUM: TierNeeds(0.895, 18.2, 60.0),
        Tier.HIGH: TierNeeds(0.923, 32.8, 120.0),
    }


@dataclass(frozen=True, slots=True)
class Board:
    """All constants of the simulation.

    Attributes:
        tiers: what each tier takes.
        cores: number of cores.
        period_ms: from one window to the next.
        deadline_ms: what a window may take.
        jitter: standard deviation of the logarithm of a window's time around its median.
        contention: by how much a window's time grows when others keep all cores but one busy.
        stall_up_s: time without an answer at a move up, from loading and warming the model.
        stall_down_s: the same at a move down.
        ram_mib: memory of the board beside the kernel's.
        clock_ghz: full clock.
        clocks: share of the full clock that the firmware leaves at each stage of throttling.
        throttle_c: temperatures at which its stages begin.
        throttle_gap_c: how far below it each of them ends.
        critical_c: where the board powers off.
        off_s: how long it then stays off.
        idle_rise_c: how much warmer than its surroundings an idle board is.
        gains_c: steady rise for all cores at 1 GHz, of the chip and of board and case.
        taus_s: time constants of the two.
        idle_w: power of the idle board.
        busy_w: additional power with all cores busy at full clock.
        charge_w: what the mains put into the battery.
    """

    tiers: dict[Tier, TierNeeds] = field(default_factory=_published)
    cores: int = 4
    period_ms: float = 40.0
    deadline_ms: float = 40.0
    jitter: float = 0.04
    contention: float = 0.1
    stall_up_s: float = 0.8
    stall_down_s: float = 0.3
    ram_mib: float = 1024.0
    clock_ghz: float = 1.5
    clocks: tuple[float, float, float] = (1.0, 0.8, 0.6)
    throttle_c: tuple[float, float] = (80.0, 85.0)
    throttle_gap_c: float = 3.0
    critical_c: float = 95.0
    off_s: float = 60.0
    idle_rise_c: float = 20.0
    gains_c: tuple[float, float] = (2.8, 15.6)
    taus_s: tuple[float, float] = (5.0, 200.0)
    idle_w: float = 2.7
    busy_w: float = 3.7
    charge_w: float = 5.0

    def own_load(self, tier: Tier) -> float:
        """Return the share of all cores that a tier's windows take at full clock."""
        return self.tiers[tier].cycle_ms / self.period_ms / self.cores

    def stall_s(self, before: Tier, after: Tier) -> float:
        """Return the time without an answer when one tier takes over from another."""
        if before is after:
            return 0.0
        return self.stall_up_s if after.rank > before.rank else self.stall_down_s

    def profile(self, error: float = 0.0) -> Profile:
        """Return what `edge-daemon profile` would say of this board.

        Args:
            error: relative error of the costs, with the sign that makes dear tiers look dearer:
                at 0.3, `high` seems to take 30 % more than it does and `critical` 30 % less.
        """
        critical_mib = self.tiers[Tier.CRITICAL].memory_mib
        tiers = {}
        for tier in TIERS:
            needs = self.tiers[tier]
            off = 1.0 + error * (2.0 * tier.rank / (len(TIERS) - 1) - 1.0)
            median_ms = needs.cycle_ms * off
            extra = self.own_load(tier) - self.own_load(Tier.CRITICAL)
            tiers[tier] = TierCost(
                accuracy=needs.accuracy,
                cycle_ms=median_ms,
                cycle_p95_ms=median_ms * (1.0 + 1.645 * self.jitter),
                cpu_ms=median_ms,
                memory_mib=(needs.memory_mib - critical_mib) * off,
                gap_ms=1000.0 * self.stall_up_s,
                power_w=extra * self.busy_w * off,
            )
        return Profile(
            measured=True,
            tiers=tiers,
            board="simulated",
            cores=float(self.cores),
            period_ms=self.period_ms,
            contention=self.contention,
            slowed=self.clocks[-1],
        )

    def without_stalls(self) -> "Board":
        """Return the same board where the next tier is made ready beside the running one."""
        return replace(self, stall_up_s=0.0, stall_down_s=0.0)
