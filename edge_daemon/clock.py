"""Clocks, as plain functions that return nanoseconds, so that a test can pass its own."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns nanoseconds that never go backwards."""

monotonic_ns: Clock = time.monotonic_ns
"""CLOCK_MONOTONIC: capture times, deadlines and ages. Stands still during suspend."""


def boottime_ns() -> int:
    """CLOCK_BOOTTIME in nanoseconds: what the governor counts in, because it includes suspend."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class VirtualClock:
    """A clock that moves only when told to: replay as fast as possible, and tests."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def __call__(self) -> int:
        """Return the present virtual time in nanoseconds."""
        return self._now_ns

    def advance_to(self, now_ns: int) -> None:
        """Move forward to `now_ns`; a time that has passed already leaves the clock as it is."""
        self._now_ns = max(self._now_ns, now_ns)
