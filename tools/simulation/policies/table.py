"""The published table: by totals as it was printed, and with its gaps as hysteresis.

The second is a copy, frozen for comparison, of the rules that this project's governor had before
it foresaw costs; it must not follow the governor's later changes.
"""

from dataclasses import dataclass

from edge_daemon.governor.firmware import THROTTLED
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier

Edges = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

CPU: Edges = ((0.80, 0.90), (0.60, 0.70), (0.30, 0.50))
MEMORY_MIB: Edges = ((30.0, 20.0), (60.0, 40.0), (120.0, 80.0))
DISTANCE_C: Edges = ((6.0, 3.0), (10.0, 6.0), (14.0, 10.0))
CHARGE: Edges = ((0.15, 0.10), (0.30, 0.20), (0.50, 0.40))
"""Where `low`, `medium` and `high` are entered and left. The last two are not in the table."""


@dataclass(frozen=True, slots=True)
class RawSettings:
    """Where within the table's gaps one tier turns into the next.

    Attributes:
        cpu_cut: 0 is the good end of each gap, 1 the bad end.
        memory_cut: the same.
    """

    cpu_cut: float = 0.5
    memory_cut: float = 0.5


class RawTable:
    """The table on total CPU load, the daemon's own included, and available memory.

    Args:
        settings: where to cut the gaps.
    """

    def __init__(self, settings: RawSettings) -> None:
        self._settings = settings

    def first(self, reading: Reading) -> Tier:
        """Return the tier of the reading."""
        return self.next(reading)[0]

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier of the reading, whatever was before."""
        busy, free_mib = reading.cpu_foreign, reading.memory_available_mib
        ranks = [len(TIERS) - 1]
        if busy is not None:
            total = busy + (reading.cpu_own or 0.0)
            ranks.append(_rank(total, CPU, self._settings.cpu_cut, -1.0))
        if free_mib is not None:
            ranks.append(_rank(free_mib, MEMORY_MIB, self._settings.memory_cut, 1.0))
        return TIERS[min(ranks)], 1.0


@dataclass(frozen=True, slots=True)
class PatientSettings:
    """How patient the table with hysteresis is.

    Attributes:
        down_polls: readings in a row that must drive a tier out.
        up_after_s: how long the next tier must have been allowed.
        up_after_max_s: what the doubling after failed moves up ends at.
        failed_within_s: a move down this soon after one up means that it failed.
        forget_s: a failure is forgotten after this long.
        reserve_mib: with less memory than this, down at once.
    """

    down_polls: int = 2
    up_after_s: float = 10.0
    up_after_max_s: float = 600.0
    failed_within_s: float = 60.0
    forget_s: float = 600.0
    reserve_mib: float = 16.0


HASTY = PatientSettings(down_polls=1, up_after_s=0.0, up_after_max_s=0.0)
"""The gaps as hysteresis and nothing else."""


class PatientTable:
    """The table on foreign load, with its gaps as hysteresis, fast down and slow up.

    Args:
        settings: how patient.
    """

    def __init__(self, settings: PatientSettings) -> None:
        self._settings = settings
        self._tier = Tier.CRITICAL
        self._pressed = 0
        self._clear_s: float | None = None
        self._up_s: float | None = None
        self._failures = 0
        self._failed_s = 0.0

    def first(self, reading: Reading) -> Tier:
        """Return the highest tier that everything lets in."""
        for tier in TIERS[1:]:
            if _alarmed(reading, self._settings) or not _lets_in(reading, tier):
                break
            self._tier = tier
        return self._tier

    def next(self, reading: Reading) -> tuple[Tier, float]:
        """Return the tier below what drives it out, or the next one after a while."""
        now_s = reading.time_ns / 1e9
        rules = self._settings
        while self._failures and now_s - self._failed_s > rules.forget_s:
            self._failures -= 1
            self._failed_s += rules.forget_s
        if self._up_s is not None and now_s - self._up_s > rules.failed_within_s:
            self._up_s = None
        target = Tier.CRITICAL if _alarmed(reading, rules) else _bearable(reading, self._tier)
        if target.rank < self._tier.rank:
            self._clear_s = None
            self._pressed += 1
            if self._pressed >= rules.down_polls or _alarmed(reading, rules):
                self._move_down(target, now_s)
        else:
            self._pressed = 0
            self._perhaps_up(reading, now_s)
        return self._tier, 1.0

    def _move_down(self, target: Tier, now_s: float) -> None:
        self._tier, self._pressed = target, 0
        if self._up_s is not None:
            self._failures, self._failed_s, self._up_s = self._failures + 1, now_s, None

    def _perhaps_up(self, reading: Reading, now_s: float) -> None:
        if self._tier is TIERS[-1]:
            return
        upper = TIERS[self._tier.rank + 1]
        stopped = _alarmed(reading, self._settings) or THROTTLED in reading.throttled
        if stopped or reading.failed or not _lets_in(reading, upper):
            self._clear_s = None
            return
        if self._clear_s is None:
            self._clear_s = now_s
        wait_s = self._settings.up_after_s * 2.0 ** min(self._failures, 30)
        if now_s - self._clear_s >= min(wait_s, self._settings.up_after_max_s):
            self._tier, self._up_s, self._clear_s = upper, now_s, None


def _values(reading: Reading) -> list[tuple[float, Edges, float]]:
    distance_c = None
    if reading.temperature_c is not None and reading.temperature_limit_c is not None:
        distance_c = reading.temperature_limit_c - reading.temperature_c
    charge = None if reading.on_mains else reading.battery_fraction
    found = (
        (reading.cpu_foreign, CPU, -1.0),
        (reading.memory_available_mib, MEMORY_MIB, 1.0),
        (distance_c, DISTANCE_C, 1.0),
        (charge, CHARGE, 1.0),
    )
    return [(value, edges, better) for value, edges, better in found if value is not None]


def _lets_in(reading: Reading, tier: Tier) -> bool:
    return all(
        better * (value - edges[tier.rank - 1][0]) >= 0.0
        for value, edges, better in _values(reading)
    )


def _bearable(reading: Reading, tier: Tier) -> Tier:
    ranks = [tier.rank]
    for value, edges, better in _values(reading):
        rank = tier.rank
        while rank > 0 and better * (value - edges[rank - 1][1]) <= 0.0:
            rank -= 1
        ranks.append(rank)
    return TIERS[min(ranks)]


def _alarmed(reading: Reading, settings: PatientSettings) -> bool:
    free_mib = reading.memory_available_mib
    if free_mib is not None and free_mib < settings.reserve_mib:
        return True
    now_c, critical_c = reading.temperature_c, reading.temperature_critical_c
    return now_c is not None and critical_c is not None and now_c >= critical_c - 5.0


def _rank(value: float, edges: Edges, cut: float, better: float) -> int:
    rank = 0
    for enter, leave in edges:
        if better * (value - (enter + cut * (leave - enter))) < 0.0:
            break
        rank += 1
    return rank
