from pathlib import Path

from tools.file_table import insert, table

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_table_of_files_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert insert(text, table()) == text, "run `make docs`"


def test_every_module_has_a_phrase() -> None:
    rows = table().splitlines()
    assert any("`edge_daemon/loop.py` | the loop" in row for row in rows)
    assert all(len(row.split("|")[2].strip()) > 8 for row in rows[2:])
