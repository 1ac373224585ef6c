import re
from pathlib import Path

import pytest

from tests.tools.dataset.tables import write_table
from tools.dataset.folders import DatasetError
from tools.dataset.table import Row, labels_of, read_table

ROWS = [
    ("a1.png", "a1.wav", "apple"),
    ("a2.JPG", "", "apple"),
    ("p1.png", "p1.flac", "pear"),
    ("", "sub/p2.ogg", "pear"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of `ROWS`, all empty: a table does not open them."""
    (tmp_path / "sub").mkdir()
    for name in {name for row in ROWS for name in row[:2] if name}:
        (tmp_path / name).touch()
    return tmp_path


def problems(path: Path) -> list[str]:
    with pytest.raises(DatasetError) as caught:
        read_table(path)
    return str(caught.value).splitlines()


def test_a_table_gives_its_rows(folder: Path) -> None:
    rows = read_table(write_table(folder / "data.csv", ROWS))
    assert rows[0] == Row(2, "apple", folder / "a1.png", folder / "a1.wav", None, "")
    assert rows[1].audio is None
    assert (rows[3].image, rows[3].audio) == (None, folder / "sub/p2.ogg")
    assert labels_of(rows) == labels_of(rows[::-1]) == ("apple", "pear")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_understood(
    separator: str, encoding: str, newline: str, folder: Path
) -> None:
    lines = [("Label", " IMAGE", "audio"), *((label, *files) for *files, label in ROWS)]
    text = newline.join(separator.join(cells) for cells in lines) + newline + separator * 2
    path = folder / "data.csv"
    path.write_bytes(text.encode(encoding))
    expected = read_table(write_table(folder / "plain.csv", ROWS))
    assert read_table(path) == expected


def test_accents_may_be_written_in_either_form(folder: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    (folder / f"{decomposed}.png").touch()
    rows = [*ROWS, (f"{composed}.png", "", composed), ("a1.png", "", "apple")]
    path = write_table(folder / "data.csv", rows)
    found = read_table(path)
    assert found[4].image == (folder / f"{decomposed}.png").resolve()
    rows = [*ROWS, (f"{decomposed}.png", "", decomposed)]
    assert read_table(write_table(path, rows))[4].label == composed


def test_quoted_cells_may_hold_separators_and_line_breaks(folder: Path) -> None:
    (folder / "a,3.png").touch()
    path = folder / "data.csv"
    path.write_text('image,audio,label\n"a,3.png",a1.wav,"app\nle"\np1.png,p1.flac,pear\n')
    found = problems(path)
    assert len(found) == 1
    assert "line 3, column label: 'app\\nle' has control characters" in found[0]


def test_everything_that_is_wrong_is_said_at_once(folder: Path) -> None:
    rows = [
        *ROWS,
        ("gone.png", "", "apple"),  # line 6
        ("a1.gif", "a1.aac", "apple"),
        ("", "", "apple"),
        ("a1.png", "", ""),
        ("a1.png", "a1.wav", "apple"),  # line 10
        ("p1.png", "", "apple"),
        ("sub\\a1.png", "", "pear"),
        ("sub", "", "pear"),
    ]
    path = write_table(folder / "data.csv", rows)
    expected: list[tuple[int, *tuple[str, ...]]] = [
        (6, "column image", "gone.png does not exist"),
        (7, "column image", "a1.gif ends in none of", "convert it"),
        (7, "column audio", "a1.aac ends in none of"),
        (8, "columns image and audio", "both empty"),
        (9, "column label", "empty"),
        (9, "column label", "a1.png, but apple in line 2"),
        (10, "the same files as in line 2"),
        (11, "column label", "apple for p1.png, but pear in line 4"),
        (12, "column image", "write / instead of"),
        (13, "column image", "sub ends in none of"),
    ]
    found = problems(path)
    for line, *words in expected:
        begins = re.compile(re.escape(str(path)) + f", line {line}[,:] ?")
        assert any(begins.match(text) and all(word in text for word in words) for text in found), (
            line,
            words,
            found,
        )
    assert len(found) == len(expected)


@pytest.mark.parametrize("label", ["unknown", "Unknown"])
def test_the_label_of_an_unsure_answer_is_refused(label: str, folder: Path) -> None:
    path = write_table(folder / "data.csv", [*ROWS, ("", "a1.wav", label)])
    assert any("line 6, column label: unknown is what" in text for text in problems(path))


def test_a_label_is_written_in_one_way(folder: Path) -> None:
    path = write_table(folder / "data.csv", [*ROWS[:3], ("", "sub/p2.ogg", "Pear")])
    (found,) = problems(path)
    assert "line 5, column label: Pear, but pear in line 4; write it in one way" in found


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "image,audio,lable",
            ["column 'lable': unknown; did you mean label?", "image,audio,label"],
        ),
        ("picture,audio,label", ["column 'picture': unknown; remove the column"]),
        ("image,image,label", ["column image: there twice"]),
        ("label", ["must name the columns"]),
        ("a1.png,a1.wav,apple", ["must name the columns"]),
    ],
)
def test_a_wrong_header_is_explained(header: str, words: list[str], folder: Path) -> None:
    path = folder / "data.csv"
    path.write_text(header + "\na1.png,a1.wav,apple\n")
    found = problems(path)
    assert all(text.startswith(f"{path}, line 1") for text in found)
    assert all(any(word in text for text in found) for word in words), found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; its first line must be"),
        (b"\n\n", "is empty"),
        ("image,audio,label".encode("utf-16"), "save the table as `CSV UTF-8`"),
        (b"image,label\na1.png,caf\xe9\n", "line 2: not UTF-8"),
        (b'image,label\n"a1.png,apple\n', "mend the quotes"),
        (b"PK\x03\x04\x00\x00", "not a CSV file"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, words: str, folder: Path) -> None:
    path = folder / "data.csv"
    path.write_bytes(content)
    (found,) = problems(path)
    assert str(path) in found
    assert words in found


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "no.csv") == [
        f"{tmp_path / 'no.csv'}: cannot be read (No such file or directory)"
    ]


def test_a_line_with_too_many_cells_is_named(folder: Path) -> None:
    path = folder / "data.csv"
    path.write_text("image,label\na1.png,apple,\np1.png,pear\na2.JPG,apple\n")
    assert any("line 2: 3 columns where the first line has 2" in text for text in problems(path))


def test_two_labels_and_both_modalities_are_needed(folder: Path) -> None:
    path = write_table(folder / "data.csv", [("a1.png", "", "apple"), ("a2.JPG", "", "apple")])
    found = problems(path)
    assert any("1 labels; at least 2" in text for text in found)
    assert any("column audio: no file at all" in text for text in found)


def test_a_split_is_for_every_row_and_for_a_whole_file(folder: Path) -> None:
    header = ("image", "audio", "label", "split")
    rows = [
        ("a1.png", "a1.wav", "apple", "train"),
        ("a2.JPG", "a1.wav", "apple", "Test"),
        ("p1.png", "p1.flac", "pear", "dev"),
        ("", "sub/p2.ogg", "pear", ""),
    ]
    found = problems(write_table(folder / "data.csv", rows, header))
    assert any("line 3, column split: test for a1.wav, but train in line 2" in t for t in found)
    assert any("line 4, column split: 'dev' is none of train, validation, test" in t for t in found)
    assert any("line 5, column split: empty; write train, validation or test" in t for t in found)


def test_a_long_list_of_problems_is_cut(folder: Path) -> None:
    rows = [*ROWS, *((f"gone{number}.png", "", "apple") for number in range(100))]
    found = problems(write_table(folder / "data.csv", rows))
    assert len(found) == 41
    assert found[-1] == "and 60 more"
