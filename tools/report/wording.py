"""Numbers and lists as a person would write them."""

from collections.abc import Sequence

NARROW, NO_BREAK = "\u202f", "\u00a0"
"""Spaces that do not break: between thousands, and between a number and its unit."""


def percent(share: float, digits: int = 2) -> str:
    """Return a share in per cent, without the sign: 0.9412 is 94.12."""
    return f"{100.0 * share:.{digits}f}"


def per_cent(share: float, digits: int = 1) -> str:
    """Return a share in per cent for a sentence: 94.1 %."""
    return f"{percent(share, digits)}{NO_BREAK}%"


def per_cent_range(shares: Sequence[float], digits: int = 1) -> str:
    """Return from where to where shares reach, for a sentence: 94.1–95.0 %."""
    ends = dict.fromkeys(percent(share, digits) for share in (min(shares), max(shares)))
    return f"{'–'.join(ends)}{NO_BREAK}%"


def interval(low: float, high: float, digits: int = 2) -> str:
    """Return two shares in per cent as a range."""
    return f"{signless(100.0 * low, digits)}–{signless(100.0 * high, digits)}"


def signless(value: float, digits: int) -> str:
    """Return a number, a true minus sign before a negative one."""
    return f"{value:.{digits}f}".replace("-", "−")


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign: −0.43."""
    rounded = round(100.0 * difference, 2)
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def points_between(low: float, high: float) -> str:
    """Return an interval of a difference in percentage points."""
    return f"{points(low)} to {points(high)}"


def whole(value: float) -> str:
    """Return a whole number, its thousands apart."""
    return f"{round(value):,}".replace(",", NARROW)


def size(amount: float) -> str:
    """Return bytes as B, kB or MB of 1000."""
    if amount < 10_000:
        return f"{whole(amount)}{NO_BREAK}B"
    if amount < 1e6:
        return f"{amount / 1e3:.1f}{NO_BREAK}kB"
    return f"{amount / 1e6:.1f}{NO_BREAK}MB"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 120:
        return f"{seconds:.0f}{NO_BREAK}s"
    if seconds < 7200:
        return f"{seconds / 60:.0f}{NO_BREAK}min"
    return f"{seconds / 3600:.1f}{NO_BREAK}h"


def time_us(microseconds: float) -> str:
    """Return the time of an inference."""
    if microseconds < 1000:
        return f"{microseconds:.1f}{NO_BREAK}µs"
    return f"{microseconds / 1e3:.1f}{NO_BREAK}ms"


def millions(count: float) -> str:
    """Return a count of operations in millions."""
    return f"{count / 1e6:.2f}{NO_BREAK}M"


def listed(words: Sequence[str]) -> str:
    """Return words with commas and an `and`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: 1 goal, 2 goals."""
    return f"{count}{NO_BREAK}{one if count == 1 else many or one + 's'}"
