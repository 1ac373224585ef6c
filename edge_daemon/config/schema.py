"""Looks into the structs of the keys: names, types, which are sections and which are live."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_type_hints

from msgspec import Meta, Struct


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration, sections left out.

    Attributes:
        name: with its sections: `video.rate_hz`.
        annotation: its type with constraints.
        default: what holds when it is not given.
        live: whether SIGHUP puts a change into effect.
    """

    name: str
    annotation: object
    default: object
    live: bool


def keys(defaults: Struct, prefix: str = "", live: bool = False) -> Iterator[Key]:
    """Yield every key under a struct in order; a live section makes all of its keys live."""
    for name, annotation in key_types(type(defaults)).items():
        default = getattr(defaults, name)
        is_live = live or _marked_live(annotation)
        if isinstance(default, Struct):
            yield from keys(default, f"{prefix}{name}.", is_live)
        else:
            yield Key(prefix + name, annotation, default, is_live)


def key_types(struct: type[Struct]) -> dict[str, object]:
    """Return the keys of one section with their types, constraints included."""
    return get_type_hints(struct, include_extras=True)


def value(struct: Struct, name: str) -> object:
    """Return what a configuration holds under a dotted name."""
    found: object = struct
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _marked_live(annotation: object) -> bool:
    metadata = getattr(annotation, "__metadata__", ())
    return any(isinstance(one, Meta) and (one.extra or {}).get("live") for one in metadata)
