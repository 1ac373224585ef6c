"""Why the present tier runs, and what would have to change for a move up: data and sentences.

The age of a line of this boot is a difference of CLOCK_BOOTTIME, which goes on during suspend, or
of CLOCK_MONOTONIC where no reading stands in it. The wall clock, which may jump, only serves where
nothing else is comparable, and to show a time of day.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Literal

from msgspec import Struct

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.margin import QUANTITIES, Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.values import duration
from edge_daemon.review.present import Clocks, Noted, Present
from edge_daemon.tier import Tier

Life = Literal["running", "silent", "stopped"]


class Change(Struct, frozen=True, rename={"from_": "from"}):
    """The last tier change.

    Attributes:
        from_: the tier before.
        resource: what bound.
        rule: the rule that fired.
        reason: the same in a sentence.
        binding: the quantity that drove the tier out, if one did.
    """

    from_: Tier
    resource: str
    rule: str
    reason: str
    binding: Margin | None


class Explanation(Struct, frozen=True):
    """How things stand.

    Attributes:
        life: `running`; `silent`, where no line has come for longer than readings take; `stopped`.
        age_s: age of the newest line.
        tier: the tier that runs, or ran last.
        wanted: the tier that is asked for.
        since_s: wall-clock time since which it runs, seconds since the epoch.
        for_s: for how long it has, or had at the stop.
        pinned: whether it is pinned.
        change: how it came to run; None where it is the first one.
        decision: the newest decision, of a reading or of a tier change; None where it is not
            known, and while a tier is pinned.
        next_up_s: wall-clock time of the earliest move up, if what it needs and awaits came true
            now; None where the decision names none, as at the ceiling.
        next_up_in_s: seconds from now to it; negative where it has passed.
        reading: the newest reading.
        read_s: age of the newest reading.
        headroom: what it left of each resource.
        stopped: why it stopped; empty unless it did.
    """

    life: Life
    age_s: float
    tier: Tier
    wanted: Tier
    since_s: float
    for_s: float
    pinned: bool
    change: Change | None = None
    decision: Decision | None = None
    next_up_s: float | None = None
    next_up_in_s: float | None = None
    reading: Reading | None = None
    read_s: float | None = None
    headroom: Headroom | None = None
    stopped: str = ""


def explanation(found: Present, now: Clocks, silent_s: float) -> Explanation:
    """Return what the newest lines amount to.

    Args:
        found: those lines.
        now: the clocks.
        silent_s: how long a daemon that runs may write nothing.
    """
    if found.virtual:  # comparable with nothing but itself
        now = Clocks(now.wall_s, 0, 0, "")
    age_s = _age_s(found.newest, now)
    here = found.virtual or found.newest.boot_id == now.boot_id
    silent = age_s > silent_s or not here
    life: Life = "stopped" if found.stop else "silent" if silent else "running"
    change, reading = found.change, found.reading
    decision, decided = _newest(found)
    if change is not None and found.changed is not None:
        tier, since = change.to, found.changed
    elif reading is not None and found.read is not None:
        tier, since = reading.tier, found.started or found.read
    else:
        assert found.start is not None and found.started is not None
        tier, since = found.start.tier, found.started
    # A reading that is older than the change asked for what runs now.
    later = reading is not None and _is_after(found.read, since)
    next_up_in_s = _until_s(decision, decided, now)
    elapsed_s = (found.newest.mono_ns - since.mono_ns) / 1e9
    return Explanation(
        life=life,
        age_s=age_s,
        tier=tier,
        wanted=reading.tier if reading is not None and later else tier,
        since_s=since.wall_s,
        for_s=_age_s(since, now) if life == "running" else elapsed_s,
        pinned=found.pinned,
        change=None
        if change is None
        else Change(change.from_, change.resource, change.rule, change.reason, change.binding),
        decision=decision,
        next_up_s=None if next_up_in_s is None else now.wall_s + next_up_in_s,
        next_up_in_s=next_up_in_s,
        reading=None if reading is None else reading.reading,
        read_s=None if found.read is None else _age_s(found.read, now),
        headroom=None if reading is None else reading.headroom,
        stopped=found.stop.reason if found.stop else "",
    )


def sentences(told: Explanation, now_s: float, zone: tzinfo | None = None) -> Iterator[str]:
    """Yield the explanation as paragraphs.

    Args:
        told: what to say.
        now_s: wall-clock time, seconds since the epoch.
        zone: time zone to show; None for the local one.
    """
    yield f"{_since(told, now_s, zone)}{_why(told)}"
    if told.wanted is not told.tier:
        yield f"{told.wanted} has been asked for and is being prepared."
    if not told.pinned:
        yield from filter(None, (_now(told), _way_up(told, now_s, zone)))
    yield from _sensors(told.reading)
    yield from _missing(told)
    yield " ".join(filter(None, (_life(told, now_s, zone), _headroom(told.headroom))))


def _since(told: Explanation, now_s: float, zone: tzinfo | None) -> str:
    verb = "" if told.life == "running" else " ran"
    upto = "" if told.life == "running" else " until then"
    since = _clock(told.since_s, now_s, zone)
    return f"{told.tier}{verb} since {since} ({_span(max(0.0, told.for_s))}{upto})"


def _why(told: Explanation) -> str:
    change = told.change
    if told.pinned:
        return ", pinned by the configuration or the command line."
    if change is None:
        return ", the tier that it began in."
    reason = f": {change.reason}." if change.reason else "."
    if change.rule == "start":
        return f", where it started{reason}"
    way = "up" if told.tier.rank > change.from_.rank else "down"
    return f", moved {way} from {change.from_}{reason}"


def _now(told: Explanation) -> str:
    """Return what the newest decision says, unless that is said elsewhere."""
    decision, change = told.decision, told.change
    if decision is None or (_wants(decision) and decision.rule.endswith("_holds")):
        return ""
    if change is not None and decision.reason == change.reason:
        return ""
    when = "Now" if told.life == "running" else "At the end"
    return f"{when}: {decision.reason} (rule {decision.rule})."


def _way_up(told: Explanation, now_s: float, zone: tzinfo | None) -> str:
    decision = told.decision
    if decision is None:
        return ""
    wants, awaits, up_in_s = _wants(decision), " and ".join(decision.awaits), told.next_up_in_s
    at = ""
    if told.life == "running" and told.next_up_s is not None and up_in_s is not None:
        at = f"{_clock(told.next_up_s, now_s, zone)}, in {_span(up_in_s)}" if up_in_s > 0 else "now"
    if not wants and not decision.wait_s:  # only time is missing, or a sensor's answer
        return f"Earliest move up: {at}, if {awaits or 'nothing changes'}." if at else ""
    text = " ".join(
        filter(
            None,
            (
                f"A move up needs: {wants}." if wants else "",
                f"{'It also' if wants else 'A move up'} waits until {awaits}." if awaits else "",
            ),
        )
    )
    return f"{text} Earliest, if that came true now and stayed so: {at}." if text and at else text


def _wants(decision: Decision) -> str:
    return "; ".join(need.wants() for need in decision.needs if need.quantity in QUANTITIES)


def _sensors(reading: Reading | None) -> Iterator[str]:
    if reading is None:
        return
    for name, error in reading.failed.items():
        yield f"Cannot be read: {name}: {error}."
    if reading.throttled:
        yield f"The firmware reports {' and '.join(reading.throttled)}."
    if reading.absent:
        yield f"Not on this board, and so no constraint: {', '.join(reading.absent)}."


def _missing(told: Explanation) -> Iterator[str]:
    """Yield what does not arrive, unless the decision says so."""
    said = "" if told.decision is None else told.decision.reason
    for name in ("sound", "picture"):
        if getattr(told.reading, name, None) is False and f"no {name} arrives" not in said:
            yield f"No {name} arrives."


def _life(told: Explanation, now_s: float, zone: tzinfo | None) -> str:
    if told.life == "stopped":
        when = _clock(now_s - told.age_s, now_s, zone)
        return f"The daemon stopped at {when}, {_span(told.age_s)} ago: {told.stopped}."
    if told.life == "silent":
        return (
            f"The daemon has written nothing for {_span(told.age_s)}: it was killed, has lost "
            "its power, or hangs."
        )
    return "" if told.read_s is None else f"As of {_span(told.read_s)} ago."


def _headroom(left: Headroom | None) -> str:
    if left is None:
        return ""
    shares = (f"{name} {100 * getattr(left, name):.0f} %" for name in left.__struct_fields__)
    return f"Headroom by the published bands: {', '.join(shares)}."


def _age_s(noted: Noted, now: Clocks) -> float:
    if noted.boot_id != now.boot_id:
        return max(0.0, now.wall_s - noted.wall_s)
    if noted.boottime_ns is not None:
        return max(0, now.boottime_ns - noted.boottime_ns) / 1e9
    return max(0, now.mono_ns - noted.mono_ns) / 1e9


def _newest(found: Present) -> tuple[Decision | None, Noted | None]:
    """Return the newest decision, of a reading or of a tier change, with when it was made."""
    change, changed, reading = found.change, found.changed, found.reading
    if found.pinned or change is None or changed is None or change.reading is None:
        return found.decision, found.read
    time_ns = change.reading.time_ns
    if reading is not None and reading.reading.time_ns >= time_ns:
        return found.decision, found.read
    up_s = change.next_change_s
    decision = Decision(
        change.to,
        change.from_,
        change.resource,
        change.rule,
        change.reason,
        None if up_s is None else time_ns + round(up_s * 1e9),
        time_ns,
        change.binding,
        change.needs,
        awaits=change.awaits,
        wait_s=change.wait_s,
    )
    return decision, replace(changed, boottime_ns=time_ns)


def _until_s(decision: Decision | None, decided: Noted | None, now: Clocks) -> float | None:
    """Return the seconds from now to the earliest move up that a decision foresees."""
    if decision is None or decision.next_up_s is None or decided is None:
        return None
    left_s = decision.next_up_s - _age_s(decided, now)
    # What has not come true since that reading has its wait before it still.
    return max(left_s, decision.wait_s) if decision.wait_s else left_s


def _is_after(one: Noted | None, other: Noted) -> bool:
    return one is not None and one.mono_ns > other.mono_ns


def _clock(wall_s: float, now_s: float, zone: tzinfo | None) -> str:
    """Return a time of day, with its date unless that is today's."""
    moment, now = datetime.fromtimestamp(wall_s, zone), datetime.fromtimestamp(now_s, zone)
    if moment.date() == now.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%a %d %b %H:%M:%S}"


def _span(seconds: float) -> str:
    """Return a time in words, to the second."""
    return f"{seconds:.0f} s" if seconds < 59.5 else duration(round(seconds))
