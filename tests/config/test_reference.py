from pathlib import Path

import pytest

from edge_daemon.config import Config
from edge_daemon.config.reference import attribute_docs, reference
from edge_daemon.config.schema import key_types, keys, section

PAGE = Path(__file__).parents[2] / "docs" / "config.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make docs`"


@pytest.mark.parametrize("name", list(key_types(Config)))
def test_every_section_and_key_has_its_row(name: str) -> None:
    page = reference()
    assert f"\n## {name}\n" in page
    struct = section(key_types(Config)[name])
    assert struct is not None
    documented = attribute_docs(struct)
    assert set(documented) == set(key_types(struct))


def test_every_number_is_bounded() -> None:
    page = reference().splitlines()
    rows = [line for line in page if "number" in line and line.startswith("| `")]
    assert len(rows) > 10
    assert all(" from " in row for row in rows)
    assert len([line for line in page if line.startswith("| `")]) == len(list(keys(Config)))
