from pathlib import Path

from msgspec import Struct

from edge_daemon.config import Config
from edge_daemon.config.reference import attribute_docs, reference
from edge_daemon.config.schema import keys

PAGE = Path(__file__).parents[2] / "docs" / "config.md"


def sections(defaults: Struct) -> list[type[Struct]]:
    held = [getattr(defaults, name) for name in defaults.__struct_fields__]
    below = [one for inner in held if isinstance(inner, Struct) for one in sections(inner)]
    return [type(defaults), *below]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_every_key_is_explained_where_it_is_defined() -> None:
    found = sections(Config())[1:]
    assert len(found) > 12
    for struct in found:
        assert set(attribute_docs(struct)) == set(struct.__struct_fields__), struct.__name__


def test_every_key_has_its_row_and_every_number_its_bounds() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) == len(list(keys(Config())))
    numbers = [row for row in rows if "number" in row]
    assert len(numbers) > 30
    assert all(" from " in row for row in numbers)
