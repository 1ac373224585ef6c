"""Tables of a user's files, as tests write them."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_table(
    path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("image", "audio", "label")
) -> Path:
    """Write a table and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(header)
        lines.writerows(rows)
    return path
