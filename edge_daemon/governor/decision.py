"""What the policy decided, and why."""

from msgspec import Struct

from edge_daemon.governor.margin import Margin
from edge_daemon.tier import Tier


class Decision(Struct, frozen=True):
    """What was decided on one reading.

    Attributes:
        tier: the tier to run.
        previous: the tier before; the same when nothing changes.
        resource: the resource that binds; empty where none does.
        rule: name of the rule that fired.
        reason: the same in a sentence with its numbers.
        next_up_ns: CLOCK_BOOTTIME of the earliest move up from here; None at the top, when
            pinned, and while something stands against it.
        time_ns: CLOCK_BOOTTIME of the reading it was decided on.
        binding: the margin that binds: of the present tier when it moves down, of the next one
            otherwise; None where something else than a quantity does.
        needs: the margins of the next higher tier that are short of letting it in.
        poll_s: when to look again.
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

    @property
    def changed(self) -> bool:
        """Whether the tier changes."""
        return self.tier is not self.previous

    @property
    def next_up_s(self) -> float | None:
        """Seconds from the decision to the earliest move up."""
        return None if self.next_up_ns is None else (self.next_up_ns - self.time_ns) / 1e9
