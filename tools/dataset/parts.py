"""Which rows of a user's table train, validate and test: by label, files and groups kept whole."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.dataset.table import PARTS, Part, Row, labels_of, refuse

SHARE = 0.15
"""Of the rows of each label that validate, and again of those that test; at least one each."""


def assign_parts(rows: Sequence[Row], path: Path, seed: int = 0) -> list[Part]:
    """Return what each row is for, as its table says or else by drawing.

    Rows that share a file or a group stay together. They are gone through in an order drawn by
    the seed and the files' names, not by the order of the rows, the largest first; each goes where
    its labels are missing most (iterative stratification, Sechidis, Tsoumakas and Vlahavas 2011).

    Args:
        rows: of a table.
        path: of the table, for error texts.
        seed: of the drawing.

    Raises:
        DatasetError: a label does not have a row in each part.
    """
    if rows and rows[0].split is not None:
        parts = [row.split or "train" for row in rows]
    else:
        parts = _draw(rows, path.parent.resolve(), seed)
    held = Counter((row.label, part) for row, part in zip(rows, parts, strict=True))
    counts = Counter(row.label for row in rows)
    problems = []
    for label in labels_of(rows):
        missing = [part for part in PARTS if not held[label, part]]
        if missing:
            problems.append(
                f"{path}, label {label}: {counts[label]} rows, none of them for "
                f"{' or '.join(missing)}; at least {len(PARTS)} that share no file or group are "
                "needed, tens are better"
            )
    refuse(problems)
    return parts


def _draw(rows: Sequence[Row], folder: Path, seed: int) -> list[Part]:
    counts = Counter(row.label for row in rows)
    missing: Counter[tuple[str, Part]] = Counter()
    for label, count in counts.items():
        aside = max(1, round(SHARE * count))
        missing[label, "validation"] = missing[label, "test"] = aside
        missing[label, "train"] = max(1, count - 2 * aside)
    parts: list[Part] = ["train"] * len(rows)
    for places in sorted(together(rows), key=lambda some: _order(rows, some, folder, seed)):
        part = max(
            PARTS,
            key=lambda part: sum(
                missing[rows[at].label, part] / counts[rows[at].label] for at in places
            ),
        )
        for at in places:
            parts[at] = part
            missing[rows[at].label, part] -= 1
    return parts


def together(rows: Sequence[Row]) -> list[list[int]]:
    """Return the places of rows that share, directly or through others, a file or a group."""
    leaders = list(range(len(rows)))

    def leader(place: int) -> int:
        while leaders[place] != place:
            leaders[place] = leaders[leaders[place]]
            place = leaders[place]
        return place

    first: dict[Path | str | None, int] = {}
    for place, row in enumerate(rows):
        for key in (row.image, row.audio, row.group or None):
            if key is not None:
                leaders[leader(place)] = leader(first.setdefault(key, place))
    found: dict[int, list[int]] = {}
    for place in range(len(rows)):
        found.setdefault(leader(place), []).append(place)
    return list(found.values())


def _order(rows: Sequence[Row], places: Sequence[int], folder: Path, seed: int) -> tuple[int, str]:
    """Return a key by which large groups come first, equal ones in an order that the seed draws."""
    names = []
    for place in places:
        files = (rows[place].image, rows[place].audio)
        # Relative, so that moving the whole data set to another folder changes nothing.
        names += [os.path.relpath(file, folder) for file in files if file is not None]
    return -len(places), hashlib.sha256(f"{seed} {min(names, default='')}".encode()).hexdigest()
