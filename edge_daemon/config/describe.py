"""What a key takes, in words: for error messages and for docs/config.md."""

from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from msgspec import Meta

UNITS = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_ns": "nanoseconds",
    "_hz": "hertz",
    "_c": "degrees Celsius",
    "_mib": "MiB",
    "_px": "pixels",
    "_deg": "degrees",
    "_db": "decibels",
}
"""Suffixes of keys and the units they stand for."""


def unit(key: str) -> str | None:
    """Return the unit that a key's suffix names, in the plural."""
    return UNITS.get(key[key.rfind("_") :]) if "_" in key else None


def allowed(annotation: object) -> str:
    """Return what a type takes: `a whole number from 16 to 7680`, `null or one of …`."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"one of {', '.join(str(member.value) for member in annotation)}"
    parts = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        bounds = next((one for one in parts[1:] if isinstance(one, Meta)), Meta())
        return allowed(parts[0]) + _range(bounds)
    if origin in (Union, UnionType):
        ordered = sorted(parts, key=lambda part: part is not NoneType)  # null reads as an aside
        return " or ".join(allowed(part) for part in ordered)
    if origin is Literal:
        return f"one of {', '.join(str(part) for part in parts)}"
    if origin is tuple and parts[-1] is Ellipsis:
        return f"a list, each {allowed(parts[0])}"
    if origin is tuple:
        return f"a list of {len(parts)}, each {allowed(parts[0])}"
    return _PLAIN[annotation]


_PLAIN: dict[object, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}


def _range(bounds: Meta) -> str:
    if bounds.ge is not None and bounds.le is not None:
        return f" from {bounds.ge} to {bounds.le}"
    if bounds.ge is not None:
        return f" of {bounds.ge} or more"
    return "" if bounds.le is None else f" of {bounds.le} or less"
