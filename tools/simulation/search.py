"""Random search over a policy's settings, on the tuning set, with the gates as constraints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import msgspec
import numpy as np

from edge_daemon.governor.limits import Limits, disorder
from tools.simulation.contest import Result
from tools.simulation.contestants import Contestant, Settings
from tools.simulation.gates import gates
from tools.simulation.policies.alert import AlertSettings
from tools.simulation.policies.ours import OursSettings
from tools.simulation.policies.schedutil import SchedutilSettings
from tools.simulation.policies.spare import SpareSettings
from tools.simulation.policies.table import PatientSettings, RawSettings
from tools.simulation.summary import summarise

Range = tuple[float, float, str]
"""Least, greatest, and how it is drawn: `even`, `log` or `whole`."""

EXCESS_COST = 0.01
"""What a gate that is exceeded by all of its limit costs, in regret."""

EXCESS_MOST = 5.0
"""An excess counts up to this many limits, so that one hopeless gate does not hide the others."""

RANGES: dict[type, dict[str, Range]] = {
    RawSettings: {"cpu_cut": (0.0, 1.0, "even"), "memory_cut": (0.0, 1.0, "even")},
    PatientSettings: {
        "down_polls": (1, 4, "whole"),
        "up_after_s": (1.0, 120.0, "log"),
        "up_after_max_s": (120.0, 3600.0, "log"),
        "failed_within_s": (10.0, 300.0, "log"),
        "forget_s": (60.0, 3600.0, "log"),
    },
    SchedutilSettings: {"headroom": (1.0, 2.0, "even"), "hold_s": (1.0, 120.0, "log")},
    AlertSettings: {
        "measurement": (1e-4, 1e-1, "log"),
        "process": (1e-4, 1e-1, "log"),
        "forgetting": (0.1, 0.9, "even"),
        "reserve_mib": (4.0, 64.0, "log"),
    },
    SpareSettings: {"smoothing": (0.02, 1.0, "log"), "hold_s": (1.0, 300.0, "log")},
    OursSettings: {
        "down_polls": (1, 4, "whole"),
        "up_after_s": (2.0, 60.0, "log"),
        "failed_within_s": (15.0, 240.0, "log"),
        "up_after_max_s": (120.0, 1800.0, "log"),
        "forget_s": (120.0, 3600.0, "log"),
        "ups_per_hour": (4.0, 16.0, "log"),
        "foreseen.enter_share": (0.7, 0.97, "even"),
        "foreseen.quantile_z": (0.5, 3.5, "even"),
        "foreseen.caution_z": (0.0, 3.0, "even"),
        "foreseen.full_load": (1.0, 2.5, "even"),
        "foreseen.memory_margin_mib": (4.0, 48.0, "log"),
        "foreseen.horizon_s": (15.0, 300.0, "log"),
    },
}
"""What is searched of each policy. Our memory reserve is a promise, and no setting to be chosen."""


@dataclass(frozen=True)
class Trial:
    """One draw and what came of it.

    Attributes:
        drawn: what was drawn, by name; {} is the default.
        cost: regret, and what gates that are not kept add to it.
        regret: on all traces.
        failed: names of the gates that are not kept.
    """

    drawn: dict[str, float]
    cost: float
    regret: float
    failed: tuple[str, ...]


def drawn_settings(default: Settings, draws: int, seed: int) -> list[dict[str, float]]:
    """Return what is tried: first nothing, which is the default, then random settings.

    Args:
        default: says which policy it is.
        draws: how many random settings; those that contradict themselves are drawn again.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    drawn: list[dict[str, float]] = [{}]
    while len(drawn) <= draws:
        some = draw(random, RANGES[type(default)])
        if _sound(default, some):
            drawn.append(some)
    return drawn


def crossed(varied: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Return what is tried where nothing is left to chance: the default, then every combination.

    Args:
        varied: the values of each setting, by name.
    """
    rows = product(*varied.values())
    return [{}, *(dict(zip(varied, row, strict=True)) for row in rows)]


def tried(default: Settings, drawn: Sequence[Mapping[str, float]]) -> tuple[Contestant, ...]:
    """Return a contestant for each trial, named by its number: all run on a trace together."""
    return tuple(
        Contestant(str(number), with_drawn(default, some)) for number, some in enumerate(drawn)
    )


def judged(drawn: Sequence[dict[str, float]], results: Sequence[Result]) -> list[Trial]:
    """Return all trials, best first.

    Args:
        drawn: as `drawn_settings` returns it.
        results: of the contestants that `tried` made of it, and the oracle's.
    """
    summaries = summarise(results)
    trials = []
    for number, some in enumerate(drawn):
        name = str(number)
        found = list(gates(summaries, name))
        regret = next(s.regret.value for s in summaries if s.policy == name and s.load is None)
        excess = sum(min(EXCESS_MOST, gate.excess) for gate in found)
        failed = tuple(gate.name for gate in found if not gate.passed)
        trials.append(Trial(some, regret + EXCESS_COST * excess, regret, failed))
    return sorted(trials, key=lambda trial: trial.cost)


def draw(random: np.random.Generator, ranges: Mapping[str, Range]) -> dict[str, float]:
    """Return one setting by name for each range."""
    found: dict[str, float] = {}
    for name, (low, high, how) in ranges.items():
        if how == "whole":
            found[name] = int(random.integers(round(low), round(high) + 1))
        elif how == "log":
            found[name] = float(np.exp(random.uniform(np.log(low), np.log(high))))
        else:
            found[name] = float(random.uniform(low, high))
        if how != "whole":
            found[name] = float(f"{found[name]:.3g}")
    return found


def with_drawn(default: Settings, drawn: Mapping[str, float]) -> Settings:
    """Return settings with what was drawn in place of the defaults.

    Args:
        default: of any policy.
        drawn: by name; `foreseen.horizon_s` is a field of a field of the daemon's limits.
    """
    if not drawn:
        return default
    if isinstance(default, OursSettings):
        return replace(default, limits=limits_with(default.limits, drawn))
    return replace(default, **drawn)  # type: ignore[type-var]


def limits_with(limits: Limits, drawn: Mapping[str, float]) -> Limits:
    """Return the daemon's limits with some replaced, by their dotted config keys."""
    for name, value in drawn.items():
        section, dot, key = name.rpartition(".")
        if dot:
            part = msgspec.structs.replace(getattr(limits, section), **{key: value})
            limits = msgspec.structs.replace(limits, **{section: part})
        else:
            limits = msgspec.structs.replace(limits, **{key: value})
    return limits


def _sound(default: Settings, drawn: Mapping[str, float]) -> bool:
    if not isinstance(default, OursSettings):
        return True
    return not list(disorder(limits_with(default.limits, drawn)))
