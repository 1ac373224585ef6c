import threading

import pytest

from edge_daemon.clock import VirtualClock, monotonic_ns
from edge_daemon.pace import Lockstep, RealTime


class TickingEvent(threading.Event):
    """A stop event whose wait moves a virtual clock instead of passing time."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            assert timeout is not None
            self._clock.advance_to(self._clock() + round(timeout * 1e9))
        return self.is_set()


def test_real_time_steps_at_fixed_points_and_skips_those_it_missed() -> None:
    clock = VirtualClock(1000)
    stop = TickingEvent(clock)
    missed: list[int] = []
    pace = RealTime(clock, period_ns=100, began=missed.append)
    seen: list[int] = []

    def step() -> None:
        seen.append(clock())
        if len(seen) == 2:
            clock.advance_to(clock() + 250)  # slower than two periods
        if len(seen) == 5:
            stop.set()

    pace.run(step, stop, lambda: False)
    assert seen == [1000, 1100, 1400, 1500, 1600]
    assert pace.late == 2
    assert pace.late_max_ns == 150  # due at 1200, and looked at again at 1350
    assert missed == [0, 2, 0, 0, 0]


def test_a_loop_that_is_not_let_run_is_late_as_well() -> None:
    clock = VirtualClock()
    stop = TickingEvent(clock)
    pace = RealTime(clock, period_ns=100)
    seen: list[int] = []

    def step() -> None:
        seen.append(clock())
        if len(seen) == 3:
            stop.set()

    class Overslept(TickingEvent):
        def wait(self, timeout: float | None = None) -> bool:
            if len(seen) == 1:
                clock.advance_to(4000)
            return stop.is_set()

    pace.run(step, Overslept(clock), lambda: False)
    assert seen == [0, 4000, 4000]
    assert pace.late == 40 - 1
    assert pace.late_max_ns == 4000 - 200


def test_real_time_takes_over_a_new_period() -> None:
    clock = VirtualClock()
    pace = RealTime(clock, period_ns=100)
    seen: list[int] = []

    def step() -> None:
        seen.append(clock())
        pace.period_ns = 30

    pace.run(step, TickingEvent(clock), lambda: len(seen) == 3)
    assert seen == [0, 30, 60]


def test_nothing_is_called_in_between_where_windows_follow_soon() -> None:
    clock = VirtualClock()
    pace = RealTime(clock, 100, idle=lambda: pytest.fail("idle between two windows"), idle_ns=100)
    seen: list[int] = []
    pace.run(lambda: seen.append(clock()), TickingEvent(clock), lambda: len(seen) == 4)
    assert seen == [0, 100, 200, 300]


def test_while_no_window_is_due_the_loop_shows_that_it_is_alive() -> None:
    clock = VirtualClock()
    idle: list[int] = []
    pace = RealTime(clock, 100, idle=lambda: idle.append(clock()), idle_ns=30)
    seen: list[int] = []

    def step() -> None:
        seen.append(clock())
        if len(seen) == 2:
            clock.advance_to(clock() + 150)  # in which nobody can say so

    pace.run(step, TickingEvent(clock), lambda: len(seen) == 3)
    assert seen == [0, 100, 300]
    assert idle == [30, 60, 90, 280]
    assert pace.late == 1


def test_a_step_that_hangs_is_not_taken_for_a_wait() -> None:
    idle, hanging, freed = threading.Event(), threading.Event(), threading.Event()
    stop = threading.Event()

    def step() -> None:
        idle.clear()
        hanging.set()
        assert freed.wait(20)

    pace = RealTime(monotonic_ns, 10**10, idle=idle.set, idle_ns=1_000_000)
    worker = threading.Thread(target=pace.run, args=(step, stop, lambda: False))
    worker.start()
    try:
        assert hanging.wait(20)
        assert not idle.wait(0.1), "a hundred times as long as it is ever silent"
        freed.set()
        assert idle.wait(20)
    finally:
        freed.set()
        stop.set()
        worker.join(20)
    assert not worker.is_alive()


def test_a_long_period_that_is_shortened_counts_no_longer() -> None:
    clock = VirtualClock()
    seen: list[int] = []

    def shorten() -> None:
        pace.period_ns = 100

    pace = RealTime(clock, 60_000, idle=shorten, idle_ns=1000)
    pace.run(lambda: seen.append(clock()), TickingEvent(clock), lambda: len(seen) == 3)
    assert seen == [0, 1100, 1200]
    assert pace.late == 0


def test_lockstep_pumps_then_works_in_the_background_then_steps() -> None:
    clock = VirtualClock()
    trail: list[str] = []

    def pump(until_ns: int) -> bool:
        trail.append(f"pump {until_ns}")
        return True

    pace = Lockstep(
        clock,
        100,
        [pump],
        [
            (lambda: 200, lambda: trail.append("govern")),
            (lambda: 0, lambda: trail.append("swap")),
        ],
    )
    steps: list[int] = []

    def step() -> None:
        steps.append(clock())
        trail.append("step")

    pace.run(step, threading.Event(), lambda: len(steps) == 3)
    assert steps == [100, 200, 300]
    assert (pace.late, pace.late_max_ns) == (0, 0)
    assert trail == [
        *("pump 100", "govern", "swap", "step"),
        *("pump 200", "swap", "step"),
        *("pump 300", "govern", "swap", "step"),
    ]


def test_lockstep_stops_when_told_to() -> None:
    stop = threading.Event()
    Lockstep(VirtualClock(), 100, [], []).run(stop.set, stop, lambda: False)
    assert stop.is_set()
