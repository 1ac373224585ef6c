"""The JSON Schema of the journal, made from the types and their docstrings.

`python -m edge_daemon.journal.schema` writes it to docs/journal.schema.json; `--check` only tells
whether that file is up to date.
"""

import argparse
import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.events import SCHEMA
from edge_daemon.journal.line import EVENTS, Envelope

JsonSchema = dict[str, Any]

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "journal.schema.json"

_FORMATS: dict[str, JsonSchema] = {
    "ts": {"format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "schema": {"const": SCHEMA},
}
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def journal_schema() -> JsonSchema:
    """Return the JSON Schema (2020-12) of a line: one definition an event, envelope included."""
    _, components = msgspec.json.schema_components(
        (Envelope, *EVENTS), ref_template="#/$defs/{name}"
    )
    envelope = _described(components.pop("Envelope"), Envelope)
    del envelope["properties"]["event"]
    envelope["required"].remove("event")
    definitions: JsonSchema = {}
    for kind in EVENTS:
        body = _described(components.pop(kind.__name__), kind)
        tag = kind.__struct_config__.tag
        definitions[str(tag)] = {
            "title": tag,
            "description": body["description"],
            "type": "object",
            "properties": {
                **envelope["properties"],
                **body["properties"],
                "event": {"const": tag},
            },
            "required": [*envelope["required"], *body["required"]],
        }
    for part in (Reading, Headroom, Decision, Margin):
        definitions[part.__name__] = _described(components.pop(part.__name__), part)
    for name, component in components.items():
        definitions[name] = _summarised(component)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edge-daemon journal line",
        "description": "One line of journal.jsonl. New fields may appear within a schema number.",
        "oneOf": [{"$ref": f"#/$defs/{kind.__struct_config__.tag}"} for kind in EVENTS],
        "$defs": definitions,
    }


def attributes(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return what the docstring says about each attribute, under its name in JSON.

    Raises:
        ValueError: an attribute is not described.
    """
    told = dict(_ATTRIBUTE.findall(inspect.cleandoc(kind.__doc__ or "")))
    described = {}
    for field in msgspec.structs.fields(kind):
        if field.name not in told:
            raise ValueError(f"{kind.__name__}.{field.name} is not described in its docstring")
        described[field.encode_name] = " ".join(told[field.name].split())
    return described


def _described(component: JsonSchema, kind: type[msgspec.Struct]) -> JsonSchema:
    component = _summarised(component)
    for name, text in attributes(kind).items():
        component["properties"][name] = {
            "description": text,
            **component["properties"][name],
            **(_FORMATS.get(name, {}) if kind is Envelope else {}),
        }
    return component


def _summarised(component: JsonSchema) -> JsonSchema:
    summary = component.get("description", "").partition("\n\n")[0]
    return {**component, "description": " ".join(summary.split())}


def text() -> str:
    """Return the schema as the file holds it."""
    return msgspec.json.format(msgspec.json.encode(journal_schema()), indent=2).decode() + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(prog="python -m edge_daemon.journal.schema")
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    parser.add_argument("--file", type=Path, default=SCHEMA_FILE)
    options = parser.parse_args(arguments)
    if not options.check:
        options.file.write_text(text(), encoding="utf-8")
        return 0
    if options.file.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{options.file} is stale; run python -m edge_daemon.journal.schema\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
