"""docs/journal.md: its examples are lines of the journal, one of each event."""

import json
import re
from pathlib import Path

from jsonschema import Draft202012Validator

from edge_daemon.governor.headroom import headroom
from edge_daemon.governor.limits import Limits
from edge_daemon.journal.events import ReadingEvent, TierChange
from edge_daemon.journal.line import EVENTS, MAX_LINE_BYTES, Envelope, decode
from edge_daemon.journal.schema import journal_schema

PAGE = (Path(__file__).parents[2] / "docs" / "journal.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^### (\w+)\n(.*?)```json\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE)


def test_every_event_is_explained_with_an_example() -> None:
    assert [title for title, _, _ in EXAMPLES] == [kind.__struct_config__.tag for kind in EVENTS]


def test_the_examples_are_valid_and_complete() -> None:
    validator = Draft202012Validator(journal_schema())
    for title, _, example in EXAMPLES:
        fields = json.loads(example)
        assert fields["event"] == title
        validator.validate(fields)
        properties = set(journal_schema()["$defs"][title]["properties"])
        assert set(fields) == properties, title
        assert type(decode(example.encode())).__struct_config__.tag == title


def test_the_examples_have_the_form_of_the_writer() -> None:
    for _, _, example in EXAMPLES:
        assert list(json.loads(example))[:6] == list(Envelope.__struct_fields__)
        assert json.dumps(json.loads(example), separators=(",", ":")) == example


def test_the_headroom_in_the_examples_is_that_of_their_readings() -> None:
    events = [decode(example.encode()) for _, _, example in EXAMPLES]
    found = [event for event in events if isinstance(event, TierChange | ReadingEvent)]
    assert len(found) == 2
    for event in found:
        assert event.reading is not None
        assert event.headroom == headroom(event.reading, Limits()).rounded()


def test_the_envelope_and_its_bound_are_explained() -> None:
    for name in Envelope.__struct_fields__:
        assert f"| `{name}` |" in PAGE
    assert f"{MAX_LINE_BYTES // 1024} KiB" in PAGE
