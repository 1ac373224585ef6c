"""What a decision is made by, beside the state."""

from msgspec import Struct

from edge_daemon.governor.allocation import Worths, worths
from edge_daemon.governor.arrival import worth_now
from edge_daemon.governor.estimate import Filters
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.margin import Margins
from edge_daemon.governor.outlook import margins
from edge_daemon.governor.pressure import Alarm, alarm, unknown, without
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState, observed


class Case(Struct, frozen=True):
    """What a decision is made by, beside the state.

    Attributes:
        reading: the last, without the signals that are ignored.
        missing: the resources whose value is not known.
        broken: the first hard limit that is broken, if one is.
        found: the margins of every tier.
        arrives: whether anything arrives that counts.
        worth: what the tiers are worth by what arrives; as if all did where nothing does.
        profile: what the tiers cost and are worth.
        limits: what the tiers need.
    """

    reading: Reading
    missing: tuple[str, ...]
    broken: Alarm | None
    found: Margins
    arrives: bool
    worth: Worths
    profile: Profile
    limits: Limits


def consider(
    state: PolicyState, reading: Reading, profile: Profile, limits: Limits, filters: Filters
) -> tuple[PolicyState, Case]:
    """Return the state that has taken note of a reading, and what to decide by."""
    reading = without(reading, limits.ignored)
    missing = unknown(reading, limits)
    state = observed(state, reading, missing, profile, limits, filters)
    worth = worth_now(reading, profile, limits)
    case = Case(
        reading,
        missing,
        alarm(reading, limits),
        margins(state, reading, profile, limits),
        worth is not None,
        worth or worths(profile, limits.priorities),
        profile,
        limits,
    )
    return state, case
