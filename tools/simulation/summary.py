"""What the runs of one policy amount to, with confidence intervals over traces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.simulation.contest import Result
from tools.simulation.contestants import ORACLE

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval.

    Attributes:
        value: of all traces.
        low: 2.5 % of the resamples lie below.
        high: 2.5 % lie above.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """One policy on many traces.

    Attributes:
        policy: its name.
        load: scale of the foreign load; None for all.
        traces: how many.
        regret: share of the oracle's utility that it misses.
        switches: changes of tier an hour.
        reversals: changes taken back within 30 s, an hour.
        violation: share of the time in which memory was short.
        missed: share of windows too late or in a stall.
        off: share of the time without power.
        delay_polls: most polls that a hard event lasted without a move down.
        late_switches: most changes after the first minute of a constant load.
        unanswered: greatest share of a trace with failing or noisy sensors in which no picture
            was answered; None where there is no such trace.
        tiers: share of the powered time in each tier, cheapest first.
    """

    policy: str
    load: float | None
    traces: int
    regret: Interval
    switches: Interval
    reversals: Interval
    violation: Interval
    missed: Interval
    off: float
    delay_polls: int
    late_switches: int
    unanswered: float | None
    tiers: tuple[float, ...]


def summarise(results: Sequence[Result], seed: int = 0) -> list[Summary]:
    """Return the summaries of every policy, for each load and for all of them.

    Traces are drawn with replacement within each load (the stratified bootstrap, Efron and
    Tibshirani 1993); every policy is seen on the same draws.

    Args:
        results: with the oracle's among them.
        seed: of the resampling.
    """
    policies = list(dict.fromkeys(result.policy for result in results))
    by_policy = {name: [row for row in results if row.policy == name] for name in policies}
    best = by_policy[ORACLE]
    loads = sorted({row.load for row in best})
    found = []
    for name in policies:
        rows = by_policy[name]
        for load in [*loads, None] if len(loads) > 1 else [None]:
            kept = [number for number, row in enumerate(rows) if load is None or row.load == load]
            some, others = [rows[number] for number in kept], [best[number] for number in kept]
            found.append(_summary(name, load, some, others, seed))
    return found


def _summary(
    name: str, load: float | None, rows: list[Result], best: list[Result], seed: int
) -> Summary:
    draws = _draws([row.load for row in rows], seed)
    ours = np.array([row.figures.utility for row in rows])
    oracle = np.array([row.figures.utility for row in best])
    regrets = 1.0 - ours[draws].sum(axis=1) / oracle[draws].sum(axis=1)
    regret = _interval(1.0 - float(ours.sum() / oracle.sum()), regrets)

    def mean(values: list[float]) -> Interval:
        array = np.array(values)
        return _interval(float(array.mean()), array[draws].mean(axis=1))

    blind = [row.figures.unanswered for row in rows if row.faulty]
    settled = [row.figures.late_switches for row in rows if row.kind == "constant"]
    return Summary(
        policy=name,
        load=load,
        traces=len(rows),
        regret=regret,
        switches=mean([row.figures.switches for row in rows]),
        reversals=mean([row.figures.reversals for row in rows]),
        violation=mean([row.figures.violation for row in rows]),
        missed=mean([row.figures.missed for row in rows]),
        off=float(np.mean([row.figures.off for row in rows])),
        delay_polls=max(row.figures.delay_polls for row in rows),
        late_switches=max(settled, default=0),
        unanswered=max(blind, default=None),
        tiers=tuple(float(share) for share in np.mean([r.figures.tiers for r in rows], axis=0)),
    )


def _draws(loads: list[float], seed: int) -> NDArray[np.int64]:
    random = np.random.default_rng(seed)
    parts = []
    for load in sorted(set(loads)):
        members = np.flatnonzero(np.array(loads) == load)
        parts.append(members[random.integers(0, len(members), (RESAMPLES, len(members)))])
    return np.concatenate(parts, axis=1)


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(value, float(low), float(high))
