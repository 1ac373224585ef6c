"""YAML text as a tree in which every key and value knows its line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

Scalar = str | int | float | bool | None

_MAX_DEPTH = 16
_SCALAR_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value")
)
_DECIMAL = re.compile(r"[-+]?[0-9][0-9_]{0,40}")
_STORABLE = re.compile(r"[^\0\ud800-\udfff]*")  # in a path, and as UTF-8
_BOOLEANS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}


class DocumentError(Exception):
    """The text is no document that a configuration can be read from.

    Attributes:
        line: where, counted from 1; None where that is not known.
        reason: what is wrong.
    """

    def __init__(self, line: int | None, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar, or a list of scalars."""

    line: int
    content: Scalar | list[Scalar]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a section with what it holds."""

    line: int
    key: str
    held: "Value | Section"


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping, in the file's order, doubled keys included."""

    line: int
    entries: tuple[Entry, ...]


def read_document(raw: bytes) -> Section:
    """Parse YAML into a tree.

    Decimal numbers only: YAML's octal (`010`) and sexagesimal (`1:30`) integers, its infinities
    and its dates come back as decimal or as text, so that they fail loudly where a number is due.

    Raises:
        DocumentError: not UTF-8, not YAML, more than one document, not a mapping, or YAML's
            anchors and tags are used.
    """
    text = _decode(raw)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(
            line, f"the character {_shown(error.character)} is not allowed"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        raise DocumentError(
            None if mark is None else mark.line + 1, f"not YAML: {reason}"
        ) from None
    except RecursionError:
        raise DocumentError(None, "nested too deeply") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets some through, such as an escape beyond Unicode.
        raise DocumentError(None, f"not YAML: {error}") from None
    if root is None:
        return Section(1, ())
    if isinstance(root, yaml.ScalarNode) and _scalar(root) is None:
        return Section(1, ())
    if not isinstance(root, yaml.MappingNode):
        raise DocumentError(_line(root), "a configuration is made of sections, such as `video:`")
    return _section(root, set(), 0)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DocumentError(line, f"not UTF-8: byte 0x{raw[error.start]:02x}") from None


def _section(node: yaml.MappingNode, seen: set[int], depth: int) -> Section:
    if depth > _MAX_DEPTH:
        raise DocumentError(_line(node), "nested too deeply")
    return Section(_line(node), tuple(_entries(node, seen, depth)))


def _entries(node: yaml.MappingNode, seen: set[int], depth: int) -> Iterator[Entry]:
    for key, held in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise DocumentError(_line(key), "a key is a plain word")
        yield Entry(_line(key), key.value, _held(held, seen, depth))


def _held(node: yaml.Node, seen: set[int], depth: int) -> Value | Section:
    _refuse_alias(node, seen)
    if isinstance(node, yaml.MappingNode):
        return _section(node, seen, depth + 1)
    if isinstance(node, yaml.SequenceNode):
        items: list[Scalar] = []
        for item in node.value:
            _refuse_alias(item, seen)
            if not isinstance(item, yaml.ScalarNode):
                raise DocumentError(_line(item), "a list holds plain values only")
            items.append(_scalar(item))
        return Value(_line(node), items)
    if not isinstance(node, yaml.ScalarNode):
        raise DocumentError(_line(node), "neither a value, a list nor a section")
    return Value(_line(node), _scalar(node))


def _refuse_alias(node: yaml.Node, seen: set[int]) -> None:
    # An alias is the very node it points at, so it may even contain itself.
    if id(node) in seen:
        raise DocumentError(_line(node), "anchors and aliases (& and *) are not supported")
    seen.add(id(node))


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text: str = node.value
    if node.tag not in _SCALAR_TAGS:
        raise DocumentError(_line(node), f"the tag {node.tag} is not supported")
    if not _STORABLE.fullmatch(text):
        raise DocumentError(_line(node), "text may hold neither NUL nor half a surrogate pair")
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return _BOOLEANS.get(text.lower(), text)
    if kind == "int" and _DECIMAL.fullmatch(text):
        return int(text.replace("_", ""))
    if kind == "float" and ":" not in text:
        try:
            return float(text.replace("_", ""))
        except ValueError:
            return text
    return text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(character: object) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else repr(character)
