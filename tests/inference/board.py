"""A swapper with what a daemon has around it."""

from collections.abc import Callable
from pathlib import Path

from edge_daemon.clock import VirtualClock
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.inference.interpreter import InterpreterError
from edge_daemon.inference.pipeline import Pipeline
from edge_daemon.inference.swap import NS_PER_S, Prepared, Swapper
from edge_daemon.tier import Tier
from tests.inference.scenes import BARS, bar, window


class InterruptedClock(VirtualClock):
    """A clock whose next reading is the moment for something else to happen."""

    def __init__(self, start_ns: int) -> None:
        super().__init__(start_ns)
        self._actions: list[Callable[[], None]] = []
        self.interruptions = 0

    def __call__(self) -> int:
        while self._actions:
            self.interruptions += 1
            self._actions.pop()()
        return super().__call__()

    def interrupt_with(self, action: Callable[[], None]) -> None:
        self._actions.append(action)


class Board:
    """A swapper with what a daemon has around it: a clock, a fault log, a running pipeline."""

    def __init__(self, directory: Path = BARS, **options: float) -> None:
        self.clock = InterruptedClock(NS_PER_S)
        self.faults: list[tuple[Tier, str]] = []
        self.swapper: Swapper[str] = Swapper(
            load_bundle(directory),
            1,
            self.clock,
            lambda *fault: self.faults.append(fault),
            timer=self.clock,
            **options,
        )
        self.pipeline = self.swapper.resident

    def adopt(self) -> Prepared[str] | None:
        """What the loop does between two windows."""
        prepared = self.swapper.take()
        if prepared is not None:
            self.swapper.give_back(self.pipeline)
            self.pipeline = prepared.pipeline
        return prepared

    def go(self, tier: Tier, order: str = "") -> None:
        self.swapper.request(tier, order)
        self.swapper.step()
        assert self.adopt() is not None

    def wait_s(self, seconds: float) -> None:
        self.clock.advance_to(self.clock() + round(seconds * NS_PER_S))


def runs(pipeline: Pipeline) -> bool:
    try:
        pipeline.run(window(bar(1)))
    except (InterpreterError, KeyError):  # the latter while another thread takes it apart
        return False
    return True
