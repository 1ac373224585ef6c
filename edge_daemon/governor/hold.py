"""The last good value of a signal, for the few seconds that it may stand in for a failed read."""

from typing import Generic, TypeVar

Value = TypeVar("Value")

HOLD_S = 5.0
"""A sensor that fails for longer has no value any more."""


class Hold(Generic[Value]):
    """Remembers one value and when it was read."""

    def __init__(self, hold_s: float = HOLD_S) -> None:
        self._hold_ns = int(hold_s * 1e9)
        self._value: Value | None = None
        self._read_ns = 0

    def keep(self, value: Value, now_ns: int) -> None:
        """Remember a good value."""
        self._value = value
        self._read_ns = now_ns

    def value(self, now_ns: int) -> Value | None:
        """Return the last good value while it is young enough, else None."""
        if self._value is None or not 0 <= now_ns - self._read_ns <= self._hold_ns:
            return None
        return self._value
