"""Values of a journal's line as text, whatever a later version or a damage has made of them."""

from collections.abc import Mapping
from math import isfinite

from edge_daemon.terminal import printable

Fields = Mapping[str, object]

NO_BREAK = "\u00a0"
"""A space at which no line ends."""


def text_of(fields: Fields, key: str) -> str:
    """Return a value as text that drives no terminal; empty where there is none."""
    value = fields.get(key)
    return "" if value is None else printable(str(value))


def listed(*parts: str) -> str:
    """Return the parts side by side; only between two of them may a line end."""
    return f"{NO_BREAK}· ".join(part.replace(" ", NO_BREAK) for part in parts if part)


def names_in(value: object) -> str:
    """Return the items of a list, or the keys of an object, in one text."""
    return (
        ", ".join(printable(str(each)) for each in value) if isinstance(value, list | dict) else ""
    )


def number_of(fields: Fields, key: str) -> float | None:
    """Return a value as a number; None where it is no finite one."""
    value = fields.get(key)
    try:
        return float(value) if isinstance(value, int | float) and isfinite(value) else None
    except OverflowError:
        return None


def ms_of(fields: Fields, key: str) -> str:
    """Return a time in milliseconds as text; a dash where there is none."""
    value = number_of(fields, key)
    if value is None:
        return "–"
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def duration(seconds: float) -> str:
    """Return a time in words: `3.2 s`, `3 min 20 s`, `26 h 03 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60) % 60, int(seconds // 3600)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {int(seconds % 60):02} s"
