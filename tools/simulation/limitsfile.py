"""The daemon's limits from and to a piece of its config file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from edge_daemon.governor.limits import Limits, disorder


class LimitsError(ValueError):
    """A file of limits cannot be used; the text names the file, the key and the remedy."""


def read_limits(path: Path) -> Limits:
    """Return the limits of a config file: its `governor.limits`, all else being ignored.

    Raises:
        LimitsError: it cannot be read, or a limit is wrong.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise LimitsError(f"{path}: {error.strerror}; name a config file of the daemon") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LimitsError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    try:
        limits = msgspec.convert(document["governor"]["limits"] or {}, Limits)
    except (KeyError, TypeError):
        raise LimitsError(f"{path}: has no governor.limits; that is what is read of it") from None
    except msgspec.ValidationError as error:
        raise LimitsError(f"{path}: governor.limits: {error}") from None
    for key, remedy in disorder(limits):
        raise LimitsError(f"{path}: governor.limits.{key} {remedy}")
    return limits


def limits_yaml(drawn: Mapping[str, float]) -> str:
    """Return config keys below `governor.limits`, given by their dotted names, as YAML."""
    tree: dict[str, Any] = {}
    for name, value in drawn.items():
        section, dot, key = name.rpartition(".")
        (tree.setdefault(section, {}) if dot else tree)[key] = value
    return yaml.safe_dump({"governor": {"limits": tree}}, sort_keys=False)
