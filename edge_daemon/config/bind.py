"""Binds a parsed document to the structs of the keys and collects everything that is wrong."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from edge_daemon.config.describe import allowed, unit
from edge_daemon.config.document import Entry, Scalar, Section, Value
from edge_daemon.config.schema import key_types, keys

StructT = TypeVar("StructT", bound=msgspec.Struct)


MOST_PROBLEMS = 50
"""After so many a file is not the one that was meant; more would only fill the log."""

_ADDRESS = re.compile(r"://\S*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at a line of the file (None: nowhere in particular)."""

    line: int | None
    text: str


@dataclass(slots=True)
class Findings:
    """What binding found, up to `MOST_PROBLEMS`.

    Attributes:
        problems: everything that is wrong, in the file's order.
        lines: line of each key that was given, by its dotted name.
    """

    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int | None:
        """Return the line of a key or, where it was not given, of the section that lacks it."""
        while name and name not in self.lines:
            name = name.rpartition(".")[0]
        return self.lines.get(name)

    def add(self, line: int | None, text: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(line, text))


def bind(defaults: StructT, document: Section, findings: Findings) -> StructT:
    """Return the struct that a document describes; keys not given or wrong keep their default."""
    binder = _Binder([key.name for key in keys(defaults)], findings)
    return binder.bind(defaults, document, "")


class _Binder:
    def __init__(self, all_keys: list[str], findings: Findings) -> None:
        self._all_keys = all_keys
        self._findings = findings

    def bind(self, defaults: StructT, document: Section, prefix: str) -> StructT:
        types = key_types(type(defaults))
        lines = self._findings.lines
        values: dict[str, object] = {}
        for entry in document.entries:
            if len(self._findings.problems) >= MOST_PROBLEMS:
                break
            name = prefix + entry.key
            if entry.key not in types:
                text = _unknown(entry.key, prefix, list(types), self._all_keys)
                self._findings.add(entry.line, text)
            elif name in lines:
                self._findings.add(
                    entry.line, f"{name} is given twice, first in line {lines[name]}"
                )
            else:
                lines[name] = entry.line
                values[entry.key] = self._value(
                    getattr(defaults, entry.key), types[entry.key], entry, name
                )
        return replace(defaults, **values)

    def _value(self, default: object, annotation: object, entry: Entry, name: str) -> object:
        held = entry.held
        if isinstance(default, msgspec.Struct):
            if isinstance(held, Section):
                return self.bind(default, held, f"{name}.")
            if held.content is not None:  # nothing below it: all defaults
                shown = _shown(held.content)
                self._findings.add(
                    entry.line, f"{name} is a section with keys of its own, not {shown}"
                )
            return default
        if isinstance(held, Section):
            self._findings.add(entry.line, f"{name} must be {allowed(annotation)}, not a section")
            return default
        try:
            return msgspec.convert(held.content, annotation, dec_hook=_path)
        except (msgspec.ValidationError, ValueError):
            self._findings.add(held.line, _refused(annotation, entry.key, name, held))
            return default


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str) or not value:
        raise ValueError
    return Path(value)


def _refused(annotation: object, key: str, name: str, value: Value) -> str:
    of_unit = unit(key)
    suffix = "" if of_unit is None else f" (in {of_unit})"
    text = f"{name} must be {allowed(annotation)}{suffix}, not {_shown(value.content)}"
    if of_unit and isinstance(value.content, str) and value.content[:1].isdigit():
        text += "; the unit is in the key's name: write the plain number"
    return text


def _shown(content: Scalar | list[Scalar]) -> str:
    if isinstance(content, list):
        shown = f"[{', '.join(_shown(item) for item in content)}]"
    elif isinstance(content, str):
        shown = f'"{content}"'
    elif isinstance(content, bool):
        shown = "true" if content else "false"
    else:
        shown = "null" if content is None else str(content)
    shown = _ADDRESS.sub("://…", shown)  # a camera's may have its password in it
    printable = "".join(one if one.isprintable() else "?" for one in shown)
    return printable if len(printable) <= 60 else f"{printable[:57]}…"


def _unknown(key: str, prefix: str, siblings: list[str], all_keys: list[str]) -> str:
    name = _shown(prefix + key).strip('"')
    best = _same_but_for_unit(key, siblings) or _closest(key, siblings)
    if best is None:
        last = _closest(key, [other.rpartition(".")[2] for other in all_keys])
        best = next((other for other in all_keys if other.endswith(f".{last}")), None)
    if best is not None:
        return f"{name} is not a key; did you mean {best}?"
    return f"{name} is not a key; {_owner(prefix)} has {', '.join(siblings)}"


def _same_but_for_unit(key: str, siblings: list[str]) -> str | None:
    stem = key.rpartition("_")[0] if unit(key) else key
    same = [one for one in siblings if unit(one) and one.rpartition("_")[0] == stem]
    return same[0] if same else None


def _closest(key: str, names: list[str]) -> str | None:
    close = difflib.get_close_matches(key.lower()[:100], names, n=1, cutoff=0.7)
    return close[0] if close else None


def _owner(prefix: str) -> str:
    return f"the section {prefix[:-1]}" if prefix else "the file"
