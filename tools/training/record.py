"""The record of a run: JSON lines, one for each epoch and each result."""

import json
from datetime import UTC, datetime
from pathlib import Path


class Record:
    """A `.jsonl` file that grows; a resumed run appends to it.

    Args:
        path: the file; its directory is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, event: str, **fields: object) -> None:
        """Append one line with the time (RFC 3339, UTC), the event's name and its fields."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({"ts": now, "event": event, **fields})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
