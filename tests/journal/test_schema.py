import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct

from edge_daemon.journal.events import Event
from edge_daemon.journal.line import EVENTS, Stamp
from edge_daemon.journal.schema import SCHEMA_FILE, attributes, journal_schema, main
from tests.journal import samples

VALIDATOR = Draft202012Validator(journal_schema())


def fields(event: Event) -> dict[str, object]:
    _, head, body = Stamp("0ef474db")(event)
    line: dict[str, object] = json.loads(b"%b%d%b" % (head, 5, body))
    return line


def test_the_file_in_docs_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run python -m edge_daemon.journal.schema"


def test_a_stale_file_is_noticed_and_renewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "schema.json"
    stale.write_text("{}")
    assert main(["--check", "--file", str(stale)]) == 1
    assert "stale" in capsys.readouterr().err
    assert main(["--file", str(stale)]) == 0
    assert stale.read_text() == SCHEMA_FILE.read_text()


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(journal_schema())


@pytest.mark.parametrize("event", samples.EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_valid(event: Event) -> None:
    VALIDATOR.validate(fields(event))


def test_the_samples_are_complete() -> None:
    assert tuple(type(event) for event in samples.EVENTS) == EVENTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", 2),
        ("ts", "2026-03-19 23:59:55Z"),
        ("seq", -1),
        ("event", "eclipse"),
        ("tier", "highest"),
        ("confidence", "much"),
        ("mono_ns", None),
    ],
)
def test_a_wrong_field_is_refused(name: str, value: object) -> None:
    assert not VALIDATOR.is_valid({**fields(samples.EVENTS[1]), name: value})


def test_a_missing_field_is_refused_and_a_new_one_is_not() -> None:
    line = fields(samples.EVENTS[1])
    assert VALIDATOR.is_valid({**line, "new_in_a_later_version": 1})
    del line["boot_id"]
    assert not VALIDATOR.is_valid(line)


def test_every_property_is_described() -> None:
    for name, definition in journal_schema()["$defs"].items():
        assert definition["description"], name
        for key, value in definition.get("properties", {}).items():
            assert key == "event" or value["description"], f"{name}.{key}"


def test_an_attribute_without_a_description_is_an_error() -> None:
    class Half(Struct):
        """Half described.

        Attributes:
            one: is,
                over two lines.
        """

        one: int
        two: int

    with pytest.raises(ValueError, match=r"Half\.two"):
        attributes(Half)
