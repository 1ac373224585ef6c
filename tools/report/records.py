"""Lines of the runs' records: JSON objects whose fields are read by kind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class RecordError(ValueError):
    """A record cannot be read; the text names file, line, key and remedy."""


@dataclass(frozen=True)
class Line:
    """One line of a record.

    Every getter raises `RecordError` where its key is missing or of another kind.

    Attributes:
        place: file and number of the line, for messages.
        values: its fields.
    """

    place: str
    values: Mapping[str, object]

    @property
    def event(self) -> str:
        """What the line is about; "" where it does not say."""
        return str(self.values.get("event", ""))

    def text(self, key: str) -> str:
        """Return a field as text."""
        value = self._required(key)
        if isinstance(value, str):
            return value
        raise self._wrong(key, "text")

    def number(self, key: str) -> float:
        """Return a field as a number."""
        value = self._required(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        raise self._wrong(key, "a number")

    def maybe_text(self, key: str) -> str | None:
        """Return a field as text; None where it is missing or null."""
        return None if self.values.get(key) is None else self.text(key)

    def maybe_number(self, key: str) -> float | None:
        """Return a field as a number; None where it is missing or null."""
        return None if self.values.get(key) is None else self.number(key)

    def mapping(self, key: str) -> dict[str, object]:
        """Return an object; an empty one where the field is missing or null."""
        value = self.values.get(key)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        raise self._wrong(key, "an object")

    def numbers(self, key: str) -> dict[str, float]:
        """Return an object's numbers by name; of a list of numbers, the first."""
        found = {}
        for name, value in self.mapping(key).items():
            first = value[0] if isinstance(value, list) and value else value
            if isinstance(first, (int, float)):
                found[name] = float(first)
        return found

    def _required(self, key: str) -> object:
        value = self.values.get(key)
        if value is None:
            raise RecordError(
                f"{self.place}: {self.event or 'line'}: no `{key}`; "
                "run the command that wrote it again, or remove the file"
            )
        return value

    def _wrong(self, key: str, kind: str) -> RecordError:
        return RecordError(
            f"{self.place}: {self.event or 'line'}: `{key}` is not {kind}: "
            f"{self.values.get(key)!r}; run the command that wrote it again, or remove the file"
        )


def read_lines(path: Path) -> list[Line]:
    """Return the lines of a record; none where there is no such file.

    The last line is left out while it is being written: it has no end yet.

    Raises:
        RecordError: a line is not a JSON object.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: cannot be read: {error}") from error
    lines = []
    for number, row in enumerate(content[: content.rfind("\n") + 1].splitlines(), start=1):
        place = f"{path}:{number}"
        try:
            values = json.loads(row)
        except ValueError as error:
            raise RecordError(f"{place}: not JSON: {error}; remove the line") from error
        if not isinstance(values, dict):
            raise RecordError(f"{place}: not a JSON object; remove the line")
        lines.append(Line(place, values))
    return lines
