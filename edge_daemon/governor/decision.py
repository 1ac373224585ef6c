"""What the policy decided, why, and what a move up from there takes."""

from msgspec import Struct

from edge_daemon.governor.margin import Margin
from edge_daemon.tier import Tier


class Decision(Struct, frozen=True):
    """What was decided on one reading.

    Below the ceiling, which is the highest tier that `priorities` make worth its costs, every
    decision says what a move up takes (`needs`, `awaits`) and when it may come (`next_up_ns`).

    Attributes:
        tier: the tier to run.
        previous: the tier before; the same when nothing changes.
        resource: the resource that binds; empty where none does.
        rule: name of the rule that fired.
        reason: the same in a sentence with its numbers.
        next_up_ns: CLOCK_BOOTTIME of the earliest move up from here. Conditional: if all that
            `needs` and `awaits` name came true at once and stayed so; `wait_s`, the ration of moves
            up and the return of sound are in it. None at the ceiling, and when pinned.
        time_ns: CLOCK_BOOTTIME of the reading it was decided on.
        binding: the margin that binds: of the present tier when it moves down, of the next one
            otherwise; None where something else than a quantity does.
        needs: the margins of the next higher tier that are short of letting it in.
        poll_s: when to look again.
        awaits: what else must come true before a move up, or stay true, and is no such margin, in
            clauses: `sound arrives`, `temperature can be read again`, `high stays allowed`.
        wait_s: how long all of this must then hold before the move up, in seconds; 0 where it does
            already, and `next_up_ns` is when it will have held for long enough.
    """

    tier: Tier
    previous: Tier
    resource: str
    rule: str
    reason: str
    next_up_ns: int | None = None
    time_ns: int = 0
    binding: Margin | None = None
    needs: tuple[Margin, ...] = ()
    poll_s: float = 1.0
    awaits: tuple[str, ...] = ()
    wait_s: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether the tier changes."""
        return self.tier is not self.previous

    @property
    def next_up_s(self) -> float | None:
        """Seconds from the decision to the earliest move up."""
        return None if self.next_up_ns is None else (self.next_up_ns - self.time_ns) / 1e9


class Way(Struct, frozen=True):
    """What a move up takes: the fields of the same names in a decision."""

    needs: tuple[Margin, ...]
    awaits: tuple[str, ...]
    next_up_ns: int | None
    wait_s: float


AT_TOP = Way((), (), None, 0.0)
"""There is no move up."""


def decided(
    tier: Tier,
    previous: Tier,
    time_ns: int,
    rule: str,
    reason: str,
    way: Way,
    poll_s: float,
    resource: str = "",
    binding: Margin | None = None,
) -> Decision:
    """Return the decision with what a move up takes."""
    return Decision(
        tier,
        previous,
        resource,
        rule,
        reason,
        way.next_up_ns,
        time_ns,
        binding,
        way.needs,
        poll_s,
        way.awaits,
        way.wait_s,
    )
