"""How time passes: with the world, or as fast as a replay can be computed."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from edge_daemon.clock import Clock, VirtualClock

NS_PER_S = 1_000_000_000

Step = Callable[[], object]
"""Classifies one window, if there is one."""


class Pace(Protocol):
    """Calls the step once a window period until told to stop.

    Attributes:
        period_ns: time between windows; may be changed at any time.
        late: windows that began a period or more after their time, or never.
        late_max_ns: the longest that a window's time had passed before the loop came to it.
    """

    period_ns: int
    late: int
    late_max_ns: int

    def run(self, step: Step, stop: threading.Event, ended: Callable[[], bool]) -> None:
        """Return when `stop` is set or, between two steps, `ended` says that nothing follows."""


class RealTime:
    """Calls the step at fixed points of a monotonic clock; the sources run in their own threads.

    A step that takes longer than a period costs the points that it missed, which are counted in
    `late`; nothing is queued. A period that is shortened counts from then on, within `idle_ns`.

    Args:
        clock: CLOCK_MONOTONIC.
        period_ns: time between windows.
        began: is told after each step how many points were missed meanwhile.
        idle: called on the same thread while no window is due, so that one that hangs in a step
            is not taken for one that waits; not called where windows follow faster than `idle_ns`.
        idle_ns: longest time between two such calls, or from one to a step.
    """

    def __init__(
        self,
        clock: Clock,
        period_ns: int,
        began: Callable[[int], None] | None = None,
        *,
        idle: Callable[[], object] = lambda: None,
        idle_ns: int = NS_PER_S,
    ) -> None:
        self.period_ns = period_ns
        self.late = 0
        self.late_max_ns = 0
        self._clock = clock
        self._began = began
        self._idle: Callable[[], object] = idle
        self._idle_ns = idle_ns

    def run(self, step: Step, stop: threading.Event, ended: Callable[[], bool]) -> None:
        """See `Pace`."""
        due_ns = self._clock()
        while True:
            left_ns = max(0, due_ns - self._clock())
            if stop.wait(min(left_ns, self._idle_ns) / NS_PER_S):
                return
            if left_ns > self._idle_ns:
                self._idle()
                due_ns = min(due_ns, self._clock() + self.period_ns)
                continue
            step()
            if ended():
                return
            due_ns += self.period_ns
            behind_ns = self._clock() - due_ns
            self.late_max_ns = max(self.late_max_ns, behind_ns)
            missed = behind_ns // self.period_ns + 1 if behind_ns > 0 else 0
            self.late += missed
            due_ns += missed * self.period_ns
            if self._began is not None:
                self._began(missed)


class Lockstep:
    """Everything in one thread, on a clock that jumps from window to window.

    Before each step the sources are pumped up to the window's time and the background work that
    has come due is done, so that the same input gives the same journal but for durations. No window
    is late.

    Args:
        clock: the clock that every part counts in.
        period_ns: media time between windows.
        pumps: one for each source: reads it up to a time; False once it has ended.
        background: work (governor, swap), run in this order, each with what says after how many
            nanoseconds it is due again.
    """

    def __init__(
        self,
        clock: VirtualClock,
        period_ns: int,
        pumps: Sequence[Callable[[int], bool]],
        background: Sequence[tuple[Callable[[], int], Callable[[], object]]],
    ) -> None:
        self.period_ns = period_ns
        self.late = self.late_max_ns = 0
        self._clock = clock
        self._pumps = pumps
        self._background = background

    def run(self, step: Step, stop: threading.Event, ended: Callable[[], bool]) -> None:
        """See `Pace`."""
        due_ns = [self._clock()] * len(self._background)
        while not stop.is_set() and not ended():
            now_ns = self._clock() + self.period_ns
            for pump in self._pumps:
                pump(now_ns)
            self._clock.advance_to(now_ns)
            for index, (after_ns, work) in enumerate(self._background):
                if now_ns >= due_ns[index]:
                    work()
                    due_ns[index] = now_ns + after_ns()
            step()
