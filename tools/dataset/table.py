"""A user's table of files: a CSV with columns image, audio, label, read with all that is wrong."""

import csv
import difflib
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from tools.dataset.folders import DatasetError

COLUMNS = ("image", "audio", "label", "split", "group")
"""What a table may have; `label`, and `image` or `audio`, it must."""

IMAGES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
SOUNDS = frozenset({".aif", ".aiff", ".flac", ".mp3", ".ogg", ".wav"})
"""Endings of files that OpenCV and libsndfile read on every machine."""

MOST_LABELS = 127
MOST_SHOWN = 40
"""Problems that are listed; of the rest the number."""

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        line: its number in the file, from 1.
        label: as it is written.
        image: the picture's file; None where the row has none.
        audio: the sound's file; None where the row has none.
        split: what the row is for, where the table says so.
        group: rows of one group, such as a speaker, stay in one split.
    """

    line: int
    label: str
    image: Path | None
    audio: Path | None
    split: Part | None
    group: str


def read_table(path: Path) -> list[Row]:
    """Read a table; files are looked for from its folder, but not opened.

    Commas, semicolons or tabs separate the columns, whichever the first line has. Empty lines are
    passed over.

    Raises:
        DatasetError: with everything that is wrong, a line of text for each, naming file, line
            and column, and what to do.
    """
    lines = list(_lines(path))
    places = _places(path, lines[0][1])
    rows: list[Row] = []
    problems: list[str] = []
    for line, cells in lines[1:]:
        at = f"{path}, line {line}"
        if len(cells) != len(lines[0][1]):
            problems.append(
                f"{at}: {len(cells)} columns where the first line has {len(lines[0][1])}; "
                "put cells that contain the separator in double quotes"
            )
            continue
        row, wrong = _row(path.parent, line, {name: cells[place] for name, place in places.items()})
        rows.append(row)
        problems += [f"{at}, {problem}" for problem in wrong]
    problems += _disagreements(path, rows)
    refuse(problems)
    return rows


def refuse(problems: list[str]) -> None:
    """Raise a DatasetError that lists all problems, where there are any."""
    if not problems:
        return
    shown = problems[:MOST_SHOWN]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    raise DatasetError("\n".join(shown))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of every line that is not empty, the header first."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    save_again = "save the table as `CSV UTF-8`"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise DatasetError(f"{path}: not a CSV file in UTF-8; {save_again}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"{path}, line {line}: not UTF-8; {save_again}") from error
    head = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    empty = True
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                empty = False
                yield rows.line_num, [_plain(cell) for cell in cells]
    except csv.Error as error:
        raise DatasetError(f"{path}, line {rows.line_num}: {error}; mend the quotes") from error
    if empty:
        raise DatasetError(f"{path}: is empty; its first line must be `image,audio,label`")


def _places(path: Path, header: list[str]) -> dict[str, int]:
    """Return the position of every column."""
    names = [name.casefold() for name in header]
    problems = []
    for name in names:
        if name not in COLUMNS:
            close = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {close[0]}?" if close else "remove the column"
            problems.append(f"{path}, line 1, column {name!r}: unknown; {hint}")
        elif names.count(name) > 1:
            problems.append(f"{path}, line 1, column {name}: there twice; remove one")
    if "label" not in names or not {"image", "audio"} & set(names):
        problems.append(
            f"{path}, line 1: the first line must name the columns, `image,audio,label`"
        )
    refuse(list(dict.fromkeys(problems)))
    return {name: place for place, name in enumerate(names)}


def _row(folder: Path, line: int, cells: Mapping[str, str]) -> tuple[Row, list[str]]:
    """Return a row, and what is wrong with it as `column ...: ...`."""
    problems: list[str] = []
    files: dict[str, Path | None] = {}
    for column, endings in (("image", IMAGES), ("audio", SOUNDS)):
        files[column], problem = _file(folder, cells.get(column, ""), endings)
        if problem:
            problems.append(f"column {column}: {problem}")
    if not cells.get("image") and not cells.get("audio"):
        problems.append("columns image and audio: both empty; name a file or remove the line")
    label = cells["label"]
    if not label:
        problems.append("column label: empty; say what the files show, or remove the line")
    elif label.casefold() == "unknown":
        problems.append("column label: unknown is what an unsure answer says; rename it")
    elif not label.isprintable():
        problems.append(f"column label: {label!r} has control characters; remove them")
    split = cells.get("split", "").casefold()
    if split and split not in PARTS:
        problems.append(f"column split: {split!r} is none of {', '.join(PARTS)}")
    part = cast(Part, split) if split in PARTS else None
    row = Row(line, label, files["image"], files["audio"], part, cells.get("group", ""))
    return row, problems


def _file(folder: Path, name: str, endings: frozenset[str]) -> tuple[Path | None, str]:
    """Return the file of a cell, None where it is empty, and what is wrong with it."""
    if not name:
        return None, ""
    # Some systems store é as one character and some as two: the name may have either form.
    forms = (folder / name, folder / unicodedata.normalize("NFD", name))
    path = next((form for form in forms if form.is_file()), forms[0])
    ending = path.suffix.lower()
    if ending not in endings:
        return None, f"{name} ends in none of {' '.join(sorted(endings))}; convert it"
    if not path.is_file():
        hint = "; write / instead of \\" if "\\" in name else ""
        return None, f"{path} does not exist; paths begin at the table's folder{hint}"
    return path.resolve(), ""


def _disagreements(path: Path, rows: list[Row]) -> list[str]:
    """Return what is wrong between rows that are right by themselves."""
    problems = []
    pairs: dict[tuple[Path | None, Path | None], int] = {}
    files: dict[Path, Row] = {}
    spellings: dict[str, Row] = {}
    for row in rows:
        at = f"{path}, line {row.line}"
        files_of = [file for file in (row.image, row.audio) if file is not None]
        if files_of and (row.image, row.audio) in pairs:
            first_line = pairs[row.image, row.audio]
            problems.append(f"{at}: the same files as in line {first_line}; remove one")
            continue
        pairs[row.image, row.audio] = row.line
        for file in files_of:
            first = files.setdefault(file, row)
            if first.label != row.label:
                problems.append(
                    f"{at}, column label: {row.label} for {file.name}, "
                    f"but {first.label} in line {first.line}; correct one"
                )
            elif first.split != row.split:
                problems.append(
                    f"{at}, column split: {row.split or 'empty'} for {file.name}, but "
                    f"{first.split or 'empty'} in line {first.line}; keep a file in one split"
                )
        written = spellings.setdefault(row.label.casefold(), row)
        if written.label != row.label:
            problems.append(
                f"{at}, column label: {row.label}, but {written.label} in line {written.line}; "
                "write it in one way"
            )
    return problems + _missing_splits(path, rows) + _labels(path, rows)


def _missing_splits(path: Path, rows: list[Row]) -> list[str]:
    """Return rows without a split in a table that has splits."""
    if all(row.split is None for row in rows):
        return []
    return [
        f"{path}, line {row.line}, column split: empty; "
        f"write {', '.join(PARTS[:-1])} or {PARTS[-1]}, or empty the whole column"
        for row in rows
        if row.split is None
    ]


def _labels(path: Path, rows: list[Row]) -> list[str]:
    labels = labels_of(rows)
    problems = []
    if len(labels) < 2:
        problems.append(f"{path}: {len(labels)} labels; at least 2 are needed to tell apart")
    if len(labels) > MOST_LABELS:
        problems.append(f"{path}: {len(labels)} labels; at most {MOST_LABELS} are possible")
    if rows and not any(row.image for row in rows):
        problems.append(f"{path}, column image: no file at all; two of the tiers only see")
    if rows and not any(row.audio for row in rows):
        problems.append(f"{path}, column audio: no file at all; two of the tiers listen too")
    return problems


def labels_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return all labels in the order of their names, whatever the order of the rows."""
    return tuple(sorted({row.label for row in rows if row.label}))


def _plain(cell: str) -> str:
    return unicodedata.normalize("NFC", cell.strip())
