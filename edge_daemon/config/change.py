"""What differs between two configurations, and what of it can take effect without a restart."""

from typing import NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.config.keys import Config
from edge_daemon.config.schema import keys, value

StructT = TypeVar("StructT", bound=Struct)


class Change(NamedTuple):
    """Dotted names of the keys that differ.

    Attributes:
        live: those that SIGHUP puts into effect.
        restart: those that wait for a restart.
    """

    live: list[str]
    restart: list[str]


def diff(old: Config, new: Config) -> Change:
    """Return which keys differ, and which of them are live."""
    change = Change([], [])
    for key in keys(Config()):
        if value(old, key.name) != value(new, key.name):
            (change.live if key.live else change.restart).append(key.name)
    return change


def apply_live(old: Config, new: Config) -> Config:
    """Return `old` with the live keys of `new`: what runs after a reload."""
    live = {key.name for key in keys(Config()) if key.live}
    return _take(old, new, live, "")


def _take(old: StructT, new: StructT, live: set[str], prefix: str) -> StructT:
    taken: dict[str, object] = {}
    for name in old.__struct_fields__:
        mine, theirs = getattr(old, name), getattr(new, name)
        if isinstance(mine, Struct):
            taken[name] = _take(mine, theirs, live, f"{prefix}{name}.")
        elif prefix + name in live:
            taken[name] = theirs
    return replace(old, **taken)
