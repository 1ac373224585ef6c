"""What a recording shows and when, for scoring."""

import csv
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from edge_daemon.capture.source import SourceError

NS_PER_S = 1_000_000_000


class Labels:
    """Labels over time; each holds until the next.

    Args:
        starts_ns: when each begins, in nanoseconds from the recording's start, ascending.
        names: the labels; an empty one says that nothing is shown.
    """

    def __init__(self, starts_ns: Sequence[int] = (), names: Sequence[str] = ()) -> None:
        self._starts_ns = starts_ns
        self._names = names

    def at(self, media_ns: int) -> str | None:
        """Return the label at a time; None before the first, where nothing is known."""
        position = bisect_right(self._starts_ns, media_ns)
        return self._names[position - 1] if position else None


def load_labels(path: Path) -> Labels:
    """Read a CSV file with the columns `start_s` and `label`.

    Raises:
        SourceError: it cannot be read, or a line is wrong; the text names file and line.
    """
    starts_ns: list[int] = []
    names: list[str] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not {"start_s", "label"} <= set(rows.fieldnames or ()):
                raise SourceError(f"{path}: the first line must be `start_s,label`")
            for row in rows:
                start_ns = _nanoseconds(row["start_s"])
                if start_ns is None or (starts_ns and start_ns <= starts_ns[-1]):
                    raise SourceError(
                        f"{path}, line {rows.line_num}: start_s must be a number of seconds "
                        f"greater than the one before, not {row['start_s']!r}"
                    )
                starts_ns.append(start_ns)
                names.append((row["label"] or "").strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: the labels cannot be read: {error}") from error
    return Labels(starts_ns, names)


def _nanoseconds(text: str | None) -> int | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return round(seconds * NS_PER_S) if 0 <= seconds < float("inf") else None
