"""What stands against a move up, or takes a tier away, besides a margin that is used up."""

from operator import attrgetter

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margin, Margins
from edge_daemon.governor.pressure import Alarm, alarms, slowed
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import Tier

_score = attrgetter("score")


def uncertain(reading: Reading, missing: tuple[str, ...], profile: Profile) -> Alarm | None:
    """Return what is not known of the board, or that it is slowed, or None."""
    if missing:
        name = missing[0]
        why = reading.failed.get(name, "no value this time")
        return Alarm(name, "unknown", f"{name} is not known: {why}")
    # Foreseen margins have the slow clock in them already.
    if not profile.measured and (flags := slowed(reading)):
        return Alarm("power", "throttled", f"the firmware reports {' and '.join(flags)}")
    return None


def is_lost(state: PolicyState, limits: Limits) -> bool:
    """Whether something has been unknown for so long that it counts as bad news."""
    since_ns = state.hole_ns
    return since_ns is not None and (state.read_ns or 0) - since_ns >= _ns(limits.lost_s)


def bad_news(name: str, reading: Reading, limits: Limits) -> Alarm:
    """Return what takes away every tier above `low` while `name` is lost."""
    why = reading.failed.get(name, "it has no value")
    reason = (
        f"{name} could not be read for {limits.lost_s:g} s: {why}; no tier above low without it, "
        "unless governor.limits.ignored names it"
    )
    return Alarm(name, "lost", reason)


def held_by(needs: tuple[Margin, ...]) -> Alarm | None:
    """Return the resource that least allows a move up, or None where nothing is short of it."""
    if not needs:
        return None
    least = needs[0]
    reason = f"{least.says()}, {least.tier} begins at {least.shown(least.enter)}"
    return Alarm(least.resource, f"{least.resource}_holds", reason)


def short_of(found: Margins, upper: Tier) -> tuple[Margin, ...]:
    """Return the margins that are short of letting `upper` in, the shortest first."""
    short = [margin for margin in found[upper] if margin.score < 1.0]
    return tuple(sorted(short, key=_score))


def unreadable(reading: Reading) -> Alarm | None:
    """Return the first signal that failed, whose value is an old one, or None."""
    if not reading.failed:
        return None
    name, error = min(reading.failed.items())
    reason = f"{name} cannot be read: {error}"
    if name == "temperature" and reading.temperature_c is not None:
        reason += "; governor.limits.temperature.ignored_zones does without a zone"
    return Alarm(name, "unknown", reason)


def awaited(
    reading: Reading,
    missing: tuple[str, ...],
    broken: Alarm | None,
    needs: tuple[Margin, ...],
    profile: Profile,
    limits: Limits,
) -> tuple[str, ...]:
    """Return what must end before a move up and is none of its `needs`, in clauses.

    Args:
        reading: what the probes saw.
        missing: the resources whose value is not known.
        broken: a hard limit that is broken, if one is.
        needs: the margins that are short of the next tier.
        profile: of which measured margins have a slow clock in them already.
        limits: the hard ones.
    """
    failed, flags = reading.failed, reading.throttled
    if not (missing or failed or flags or broken is not None):
        return ()  # as nearly always
    clauses: list[str] = []
    if broken is not None:
        # A tier that lacks memory asks for more of it than the reserve.
        lacks_memory = any(need.resource == "memory" for need in needs)
        clauses += [
            one.ends
            for one in alarms(reading, limits)
            if not (one.rule == "memory_reserve" and lacks_memory)
        ]
    clauses += [f"{name} can be read again" for name in sorted({*missing, *failed})]
    if not profile.measured and (flags := slowed(reading)):
        clauses.append(f"the firmware no longer reports {' or '.join(flags)}")
    return tuple(clauses)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
