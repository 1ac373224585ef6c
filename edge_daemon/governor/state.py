"""What the policy remembers from one reading to the next, and how a reading adds to it."""

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.governor import hearing, lateness
from edge_daemon.governor.estimate import Estimate, Filters, observe
from edge_daemon.governor.hearing import Hearing
from edge_daemon.governor.lateness import Lateness
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

# Readings further apart than this many polls and a second leave a stretch that nobody watched.
_BREAK_POLLS = 3

UPS_AT_ONCE = 3.0
"""Moves up that may follow on each other: the way from `critical` to `high`."""


class PolicyState(Struct, frozen=True):
    """What the policy remembers from one reading to the next. Times are CLOCK_BOOTTIME.

    Attributes:
        tier: the tier that was last decided on.
        read_ns: time of the last reading; None before the first.
        down_polls: readings in a row that asked for a lower tier.
        clear_ns: since when the next higher tier has been allowed; None while it is not.
        up_ns: time of the last move up, until it has lasted or failed.
        failures: moves up that failed and are not forgotten.
        failed_ns: when the last of them failed, or one was forgotten.
        held_by: the resource that last drove a tier out or kept the next one from beginning.
        ups: moves up that may be made now.
        hole_ns: since when something is not known; None while all is.
        unplugged_ns: since when the mains have been gone; None while they are not known to be.
        hearing: whether sound arrives, and what losing it cost.
        lateness: whether the windows of the present tier begin in time.
        estimate: what the readings so far amount to.
    """

    tier: Tier
    read_ns: int | None = None
    down_polls: int = 0
    clear_ns: int | None = None
    up_ns: int | None = None
    failures: int = 0
    failed_ns: int = 0
    held_by: str = ""
    ups: float = UPS_AT_ONCE
    hole_ns: int | None = None
    unplugged_ns: int | None = None
    hearing: Hearing = Hearing()
    lateness: Lateness = Lateness()
    estimate: Estimate = Estimate()


def observed(
    state: PolicyState,
    reading: Reading,
    missing: tuple[str, ...],
    profile: Profile,
    limits: Limits,
    filters: Filters,
) -> PolicyState:
    """Take note of the reading and of the time that has passed."""
    now_ns, before_ns = reading.time_ns, state.read_ns
    span_ns = 0 if before_ns is None else max(0, now_ns - before_ns)
    watched = 0 < span_ns <= _break_ns(limits)
    span_s = span_ns / 1e9 if watched else None
    failures, failed_ns = state.failures, state.failed_ns
    if failures:
        forget_ns = _ns(limits.forget_s)
        forgotten = min(failures, max(0, now_ns - failed_ns) // forget_ns)
        failures -= forgotten
        failed_ns += forgotten * forget_ns
    up_ns = state.up_ns
    if up_ns is not None and now_ns - up_ns > _ns(limits.failed_within_s):
        up_ns = None
    hole_ns = state.hole_ns
    if not missing:
        hole_ns = None
    elif hole_ns is None or hole_ns > now_ns:
        hole_ns = now_ns
    unplugged_ns = state.unplugged_ns
    if reading.on_mains is not False:
        unplugged_ns = None
    elif unplugged_ns is None or unplugged_ns > now_ns:
        unplugged_ns = now_ns
    return PolicyState(
        tier=state.tier,
        read_ns=now_ns,
        down_polls=state.down_polls,
        clear_ns=state.clear_ns if watched else None,
        up_ns=up_ns,
        failures=failures,
        failed_ns=failed_ns,
        held_by=state.held_by,
        ups=min(UPS_AT_ONCE, state.ups + span_ns / 3.6e12 * limits.ups_per_hour),
        hole_ns=hole_ns,
        unplugged_ns=unplugged_ns,
        hearing=hearing.observe(state.hearing, reading, watched, limits),
        lateness=lateness.observe(state.lateness, reading, span_s, state.tier),
        estimate=observe(state.estimate, reading, span_s, profile, filters),
    )


def note_failure(state: PolicyState, now_ns: int) -> PolicyState:
    """Return the state after a move up that did not last."""
    return replace(state, failures=state.failures + 1, failed_ns=now_ns)


def _break_ns(limits: Limits) -> int:
    return _ns(_BREAK_POLLS * limits.poll_max_s + 1.0)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
