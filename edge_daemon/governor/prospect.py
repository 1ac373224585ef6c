"""What a move up from the present tier takes, and when it may come at the earliest."""

from edge_daemon.governor.allocation import Worths, next_worthwhile, worths
from edge_daemon.governor.arrival import arrivals_awaited
from edge_daemon.governor.case import Case
from edge_daemon.governor.decision import AT_TOP, Way
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.objections import awaited, short_of
from edge_daemon.governor.patience import earliest_ns, payback_ns, wait_ns
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import Tier


def way_up(state: PolicyState, case: Case, pressed: Margin | None = None) -> Way:
    """Return what a move up takes while something stands against it; `AT_TOP` at the ceiling.

    Where no higher tier is worth more by what arrives, it is told what would have to arrive.

    Args:
        state: after the decision; its tier is the one to move up from.
        case: what was decided by.
        pressed: the margin that drives the present tier out, told where no other is short.
    """
    tier, worth = state.tier, case.worth
    upper = next_worthwhile(tier, worth)
    awaits: tuple[str, ...] = ()
    if upper is None or not case.arrives:
        worth = worths(case.profile, case.limits.priorities)
        upper = next_worthwhile(tier, worth)
        if upper is None:
            return AT_TOP
        awaits = ("sound arrives",)  # with sound alone, every tier that listens is worth having
        if not case.arrives:
            awaits = (arrivals_awaited(tier, case.reading, case.profile, case.limits),)
    needs = short_of(case.found, upper)
    if not needs and pressed is not None:
        needs = (pressed,)
    return way_to(state, upper, worth, case, needs, (*stands_against(case, needs), *awaits))


def stands_against(case: Case, needs: tuple[Margin, ...]) -> tuple[str, ...]:
    """Return what of the board stands against any move up and is none of its `needs`."""
    return awaited(case.reading, case.missing, case.broken, needs, case.profile, case.limits)


def way_to(
    state: PolicyState,
    upper: Tier,
    worth: Worths,
    case: Case,
    needs: tuple[Margin, ...],
    awaits: tuple[str, ...],
    since_ns: int | None = None,
) -> Way:
    """Return the way to a higher tier.

    Args:
        state: after the decision.
        upper: the tier to move up to.
        worth: what the tiers are worth, by which the move pays.
        case: what was decided by.
        needs: the margins that are short of letting it in.
        awaits: what else must come true.
        since_ns: since when it has been allowed; None where it has still to be.
    """
    limits = case.limits
    waits_ns = wait_ns(
        state, upper, payback_ns(state.tier, upper, worth, case.profile, limits), limits
    )
    now_ns = state.read_ns or 0
    if not needs and not awaits:
        awaits = (f"{upper} stays allowed",)
    if since_ns is None:
        next_up_ns = earliest_ns(state, upper, now_ns, waits_ns, limits)
        return Way(needs, awaits, next_up_ns, waits_ns / 1e9)
    next_up_ns = earliest_ns(state, upper, since_ns, waits_ns, limits)
    return Way(needs, awaits, max(now_ns, next_up_ns), 0.0)
