"""A rerun's comparison in words, for a terminal."""

import textwrap
from collections.abc import Iterator
from datetime import datetime, tzinfo

from edge_daemon.journal.values import duration
from edge_daemon.review.comparison import Comparison, Difference
from edge_daemon.tier import TIERS

SHOWN = 20
"""Differences that are shown unless all are asked for."""

_INDENT = " " * 6


def report(
    found: Comparison, *, width: int = 80, everything: bool = False, zone: tzinfo | None = None
) -> Iterator[str]:
    """Yield the lines: every stretch that differs, how both sides went, and the sum of it.

    Args:
        found: what a rerun amounts to.
        width: columns of the terminal.
        everything: show all stretches, and not only the first.
        zone: time zone to show; None for the local one.
    """
    shown = found.differences if everything else found.differences[:SHOWN]
    for difference in shown:
        yield from _difference(difference, width, zone)
    hidden = len(found.differences) - len(shown)
    if hidden:
        yield f"… and {hidden} more (--all)"
    if shown:
        yield ""
    yield from _courses(found)
    yield ""
    yield textwrap.fill(_sum(found, zone), width)


def moment(wall_ms: int | None, time_ns: int, zone: tzinfo | None = None) -> str:
    """Return when something was, in local time; in seconds of the trace where it has none."""
    if wall_ms is None:
        return f"at {time_ns / 1e9:.1f} s"
    return f"{datetime.fromtimestamp(wall_ms / 1000, zone):%a %d %b %H:%M:%S}"


def _difference(one: Difference, width: int, zone: tzinfo | None) -> Iterator[str]:
    when = moment(one.wall_ms, one.time_ns, zone)
    because = f" ({one.rule})" if one.rule else ""
    lasts = duration(one.lasts_s) if one.lasts_s > 0 else "one poll"
    head = (
        f"{when}  for {lasts}: recorded {one.recorded}{because}, "
        f"replayed {one.replayed} ({one.replayed_rule})"
    )
    yield textwrap.fill(head, width, subsequent_indent=_INDENT)
    yield textwrap.fill(one.reason, width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _courses(found: Comparison) -> Iterator[str]:
    both = (found.recorded, found.replayed) if found.compared else (found.replayed,)
    names = ("recorded", "replayed") if found.compared else ("replayed",)
    yield f"{'':18}" + "".join(f"{name:>10}" for name in names)
    for tier in reversed(TIERS):
        shares = [course.tier_s[tier] / (found.watched_s or 1.0) for course in both]
        yield f"time in {tier:10}" + "".join(f"{100 * share:>8.1f} %" for share in shares)
    rates = "".join(f"{found.per_hour(course):>10.1f}" for course in both)
    yield f"{'switches an hour':18}" + rates


def _sum(found: Comparison, zone: tzinfo | None) -> str:
    runs = f", {found.runs} runs" if found.runs > 1 else ""
    text = f"{found.polls} decisions replayed over {duration(found.watched_s)}{runs}"
    if not found.compared:
        return f"{text}; none was recorded to compare with."
    longest = found.longest
    if longest is None:
        return f"{text}: none differs from what was recorded."
    stretches = len(found.differences)
    return (
        f"{text}: {found.differing} of {found.compared} compared differ "
        f"({100 * found.differing / found.compared:.1f} %), in {stretches} "
        f"{'stretch' if stretches == 1 else 'stretches'}, the longest of "
        f"{duration(longest.lasts_s)} from {moment(longest.wall_ms, longest.time_ns, zone)}."
    )
