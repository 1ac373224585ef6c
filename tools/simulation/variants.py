"""Our policy with one of its parts left out at a time."""

from msgspec.structs import replace

from edge_daemon.governor.estimate import FILTERS
from edge_daemon.governor.level import Pace
from edge_daemon.governor.limits import Limits
from tools.simulation.contestants import OURS, Contestant
from tools.simulation.policies.ours import OursSettings

_AT_ONCE = 1.0 - 1e-9


def variants(limits: Limits) -> list[Contestant]:
    """Return ours and everything that it is without one part.

    Args:
        limits: of the whole policy.
    """
    foreseen, memory = limits.foreseen, limits.memory
    still = replace(FILTERS.heat, fast_k=0.0, slow_k=0.0, fast_sigma_k=1e-6, slow_sigma_k=1e-6)
    hasty = replace(
        FILTERS,
        load=_unfiltered(FILTERS.load),
        memory=_unfiltered(FILTERS.memory),
    )
    narrow = replace(limits, foreseen=replace(foreseen, enter_share=0.99, memory_margin_mib=1.0))
    bare = replace(
        limits,
        foreseen=replace(foreseen, memory_margin_mib=1.0),
        memory=replace(memory, reserve_mib=0.0),
    )
    punctual = replace(limits, cpu=replace(limits.cpu, late_enter=0.999, late_leave=1.0))
    found = {
        OURS: OursSettings(limits),
        "without hysteresis": OursSettings(narrow),
        "without filters": OursSettings(limits, filters=hasty),
        "without the windows' times": OursSettings(limits, without_cycles=True),
        "without late windows": OursSettings(punctual),
        "without the heat model": OursSettings(limits, filters=replace(FILTERS, heat=still)),
        "without backoff": OursSettings(replace(limits, up_after_max_s=limits.up_after_s)),
        "without the budget of moves": OursSettings(replace(limits, ups_per_hour=3600.0)),
        "without the memory reserve": OursSettings(bare),
        "own load counted as others'": OursSettings(limits, without_own=True),
        "without measured costs": OursSettings(limits, profiled=False),
    }
    return [Contestant(name, settings) for name, settings in found.items()]


def _unfiltered(pace: Pace) -> Pace:
    return replace(pace, rise=_AT_ONCE, fall=_AT_ONCE)
