"""Whether a source is alive, judged by what it delivers and when: a pure state machine.

    starting, stalled, reconnecting, failed ── a fresh item ──────────────────▶ healthy
    starting, healthy, reconnecting ────────── open, nothing fresh for stall_s ─▶ stalled
    any ────────────────────────────────────── error, unplug, given up ─────────▶ reconnecting
    reconnecting, stalled ──────────────────── failed_after attempts in a row ──▶ failed
    any ────────────────────────────────────── nothing will ever follow ────────▶ ended

`failed` is no dead end: the source is still retried, at the longest interval.
"""

from enum import StrEnum
from typing import NamedTuple

NS_PER_S = 1_000_000_000


class State(StrEnum):
    """States of a source, as the journal writes them."""

    STARTING = "starting"
    HEALTHY = "healthy"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    FAILED = "failed"
    ENDED = "ended"


class Transition(NamedTuple):
    """A change of state, with what was wrong or how it was recovered."""

    previous: State
    state: State
    detail: str


class Liveness:
    """The state of one source.

    The methods take the monotonic time in nanoseconds; those that may change the state return
    the transition, or None. Not thread-safe: whoever shares it holds a lock (see Feed).

    Args:
        stall_s: seconds without a fresh item after which the source counts as stalled; longer
            than the source's own period.
        failed_after: attempts to reopen in a row, without one fresh item, that make it failed.
    """

    def __init__(self, stall_s: float = 5.0, failed_after: int = 3) -> None:
        if stall_s <= 0 or failed_after < 1:
            raise ValueError(f"liveness needs positive limits, not {stall_s} and {failed_after}")
        self.state = State.STARTING
        self.reconnects = 0
        self._stall_ns = round(stall_s * NS_PER_S)
        self._failed_after = failed_after
        self._losses = 0  # in a row, without a fresh item between them
        self._fingerprint: int | None = None
        self._open = False
        self._alive_ns = 0  # of the last fresh item or, if later, the last attempt to open
        self._healthy_ns: int | None = None  # when it last became healthy
        self._broken_ns: int | None = None  # its last sign of life before it ceased to be

    def opening(self, now_ns: int) -> None:
        """Note that an attempt to open begins: from here on, silence counts."""
        self._open = True
        self._alive_ns = now_ns
        if self._broken_ns is None:
            self._broken_ns = self._alive_ns

    def item(self, now_ns: int, fingerprint: int | None = None) -> Transition | None:
        """Note an item.

        Args:
            now_ns: monotonic time.
            fingerprint: of its bytes: an item that equals the one before is no sign of life, not
                even after reopening. None where equal items are legitimate.
        """
        if fingerprint is not None and fingerprint == self._fingerprint:
            return self.check(now_ns)
        self._fingerprint = fingerprint
        self._alive_ns = now_ns
        if self.state is State.HEALTHY:
            return None
        detail = "first item"
        if self.state is not State.STARTING and self._broken_ns is not None:
            detail = f"recovered after {(now_ns - self._broken_ns) / NS_PER_S:.1f} s"
        if self._losses:
            self.reconnects += 1
        self._losses = 0
        self._healthy_ns = now_ns
        return self._become(State.HEALTHY, detail)

    def lost(self, now_ns: int, detail: str) -> Transition | None:
        """Note that the source failed or was given up; it is closed until `opening`."""
        self._open = False
        self._losses += 1
        self._note_broken()
        failed = self._losses > self._failed_after
        return self._become(State.FAILED if failed else State.RECONNECTING, detail)

    def ended(self) -> Transition | None:
        """Note that nothing will ever follow."""
        self._open = False
        return self._become(State.ENDED, "end of the recording")

    def check(self, now_ns: int) -> Transition | None:
        """Judge the silence; anyone may call this, since a source that hangs cannot."""
        if not self.silent(now_ns) or self.state in (State.STALLED, State.FAILED):
            return None
        self._note_broken()
        return self._become(
            State.STALLED, f"nothing new for {(now_ns - self._alive_ns) / NS_PER_S:.1f} s"
        )

    def silent(self, now_ns: int) -> bool:
        """Return whether an open source has given nothing fresh for `stall_s`."""
        return self._open and now_ns - self._alive_ns >= self._stall_ns

    def steady(self) -> bool:
        """Return whether it has just delivered for `stall_s` or longer, not for a moment only."""
        if self._losses or self._healthy_ns is None:
            return False
        return self._alive_ns - self._healthy_ns >= self._stall_ns

    def _note_broken(self) -> None:
        if self.state is State.HEALTHY:
            self._broken_ns = self._alive_ns

    def _become(self, state: State, detail: str) -> Transition | None:
        if state is self.state:
            return None
        previous, self.state = self.state, state
        return Transition(previous, state, detail)
