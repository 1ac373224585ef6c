"""Sound that goes and comes, as the policy takes it: at once down, and up when it has stayed.

Losing the microphone says nothing about the board. The moves up that regain what it cost are
neither rationed nor counted as failed; instead, sound must have been back for a while, twice as
long after each loss that followed within `forget_s`, so that a loose plug moves no tier to and fro.
"""

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier


class Hearing(Struct, frozen=True):
    """What the policy remembers of the sound. Times are CLOCK_BOOTTIME.

    Attributes:
        gone: whether none arrived at the last reading.
        back_ns: since when it has been back, while it is; None before it was ever gone.
        losses: losses that took a tier down and are not forgotten.
        lost_ns: when the last of them was, or one was forgotten.
        regain: the tier that ran when it went; None when that was given up for other reasons.
    """

    gone: bool = False
    back_ns: int | None = None
    losses: int = 0
    lost_ns: int = 0
    regain: Tier | None = None


def listens(tier: Tier) -> bool:
    """Return whether a tier uses sound."""
    return tier.rank >= Tier.MEDIUM.rank


def observe(before: Hearing, reading: Reading, watched: bool, limits: Limits) -> Hearing:
    """Return what is remembered after a reading.

    Args:
        before: what was remembered.
        reading: whether there is sound; not known is taken for yes.
        watched: whether the time since the last reading counts as waited.
        limits: how soon a loss is forgotten.
    """
    gone = reading.sound is False
    if not gone and not before.gone and watched:
        return before  # as nearly always
    now_ns = reading.time_ns
    back_ns = before.back_ns
    if before.gone or (back_ns is not None and (not watched or back_ns > now_ns)):
        back_ns = now_ns
    forget_ns = int(limits.forget_s * 1e9)
    forgotten = min(before.losses, max(0, now_ns - before.lost_ns) // forget_ns)
    losses, lost_ns = before.losses - forgotten, before.lost_ns + forgotten * forget_ns
    return Hearing(gone, back_ns, losses, lost_ns, before.regain)


def lost(before: Hearing, tier: Tier, now_ns: int) -> Hearing:
    """Return what is remembered after sound was lost in a tier that listens."""
    regain = before.regain
    if regain is None or regain.rank < tier.rank:
        regain = tier
    return replace(before, losses=before.losses + 1, lost_ns=now_ns, regain=regain)


def regains(hearing: Hearing, upper: Tier) -> bool:
    """Return whether a move up only takes back what the loss of sound cost."""
    return hearing.regain is not None and listens(upper) and upper.rank <= hearing.regain.rank


def settled_ns(hearing: Hearing, limits: Limits) -> int:
    """Return when sound will have been back for long enough; 0 where it was not lost."""
    if hearing.back_ns is None or not hearing.losses:
        return 0
    return hearing.back_ns + wait_ns(hearing, limits)


def wait_ns(hearing: Hearing, limits: Limits) -> int:
    """Return how long sound must have been back; 0 where it was not lost."""
    if not hearing.losses:
        return 0
    wait_s = min(limits.up_after_s * 2.0 ** min(hearing.losses - 1, 30), limits.up_after_max_s)
    return int(wait_s * 1e9)
