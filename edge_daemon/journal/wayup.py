"""What a move up takes, in words, from the fields of a journal line as they come."""

import msgspec

from edge_daemon.governor.margin import QUANTITIES, Margin
from edge_daemon.journal.values import Fields, number_of
from edge_daemon.terminal import printable


def way_up(fields: Fields, told: object = None) -> str:
    """Return what a move up needs and awaits; without the needs if they are what was `told`.

    What only has to stay as it is, for a wait that has begun, is left out. Empty where nothing is
    short or awaited, and for what has not a known form.

    Args:
        fields: of a decision, or of a tier change.
        told: the margin that the reason has in words.
    """
    needs, awaits = fields.get("needs"), fields.get("awaits")
    wants: list[str] = []
    if needs != [told]:
        try:
            margins = msgspec.convert(needs, tuple[Margin, ...])
        except (msgspec.ValidationError, RecursionError):
            margins = ()
        wants += [margin.wants() for margin in margins if margin.quantity in QUANTITIES]
    if isinstance(awaits, list) and number_of(fields, "wait_s"):
        wants += [printable(str(clause)) for clause in awaits]
    return f"↑ {'; '.join(wants)}" if wants else ""


def way_up_in_time(decision: Fields) -> str:
    """Return what a move up takes beside what the decision's reason says, and how long it takes.

    Empty where only time is missing: the reason says how much.
    """
    way = way_up(decision, told=decision.get("binding"))
    next_up_ns, time_ns = number_of(decision, "next_up_ns"), number_of(decision, "time_ns")
    if next_up_ns is None or time_ns is None or not number_of(decision, "wait_s"):
        return way  # at the ceiling, in a line of an earlier version, or without a wait
    then = f"then {(next_up_ns - time_ns) / 1e9:.0f} s at least"
    return f"{way}, {then}" if way else f"↑ {then}"
