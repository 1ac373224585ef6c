"""The daemon's own loop and swap, in a tier of one's choice, at the daemon's pace."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edge_daemon.bench.rig import Rig, rig
from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.gate import Reuse
from edge_daemon.journal.events import Event, Prediction, TierChange
from edge_daemon.tier import Tier
from edge_daemon.worker import Worker

PATIENCE_S = 30.0
"""How long a tier may take to be made ready."""

# Pictures and sounds are compared with earlier ones, as in the daemon, and are never the same.
NEVER_THE_SAME = Reuse(picture=-1.0, sound=-1.0, at_most_ns=10**12)


class ProfilingError(Exception):
    """What is measured does not work; the text says what."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What of the config a window's cost depends on.

    Attributes:
        width_px: of the camera's pictures.
        height_px: of the camera's pictures.
        threads: of each interpreter.
        period_ms: time from one window to the next.
        reuse: whether windows are compared with earlier ones.
    """

    width_px: int = 640
    height_px: int = 480
    threads: int = 1
    period_ms: float = 100.0
    reuse: bool = True


class Turn(NamedTuple):
    """Windows of one tier in a row.

    Attributes:
        cycle_ms: time of each, as the journal has it.
        cpu_ms: CPU time of the process for each, on average; the children are not in it.
    """

    cycle_ms: list[float]
    cpu_ms: float


@dataclass(slots=True)
class Seen:
    """The events of the loop, as they come."""

    predictions: list[Prediction] = field(default_factory=list)
    change: TierChange | None = None

    def take_change(self) -> TierChange | None:
        """Return the swap that was seen last, once."""
        change, self.change = self.change, None
        return change

    def note(self, event: Event) -> None:
        """Keep what costs are taken from."""
        if isinstance(event, Prediction):
            self.predictions.append(event)
        elif isinstance(event, TierChange):
            self.change = event


class Stage:
    """Runs windows of the tier that is asked for.

    Args:
        bench: the loop.
        seen: what it says.
        pace_s: time from one window to the next.
    """

    def __init__(self, bench: Rig, seen: Seen, pace_s: float) -> None:
        self._bench = bench
        self._seen = seen
        self._pace_s = pace_s
        self.error: Exception | None = None

    @property
    def tier(self) -> Tier:
        """The tier that runs now."""
        return self._bench.loop.tier

    def adopt(self, tier: Tier) -> TierChange | None:
        """Have a tier made ready beside the running one and taken over; None where it runs.

        Raises:
            ProfilingError: it cannot be made ready.
        """
        if self.tier is tier:
            return None
        self._bench.ask(tier)
        until_s = time.monotonic() + PATIENCE_S
        while self.error is None and time.monotonic() < until_s:
            self._window(time.monotonic())
            if (change := self._seen.take_change()) is not None:
                return change
        raise ProfilingError(f"{tier} could not be made ready: {self.error or 'it takes too long'}")

    def turn(self, windows: int) -> Turn:
        """Run so many windows of the present tier.

        Raises:
            ProfilingError: one could not be classified.
        """
        self._seen.predictions.clear()
        started_ns = time.process_time_ns()
        due_s = time.monotonic()
        for _ in range(windows):
            due_s = self._window(due_s)
        spent_ms = (time.process_time_ns() - started_ns) / 1e6
        return Turn([event.cycle_ms for event in self._seen.predictions], spent_ms / windows)

    def _window(self, due_s: float) -> float:
        """Run one window, wait for the next one's time and return it."""
        self._bench.feed()
        if not self._bench.loop.step():
            raise ProfilingError(f"a window of {self.tier} could not be classified")
        due_s = max(due_s + self._pace_s, time.monotonic())
        time.sleep(max(0.0, due_s - time.monotonic()))
        return due_s


@contextmanager
def stage(bundle: Bundle, directory: Path, setting: Setting, pace_ms: float) -> Iterator[Stage]:
    """Set up a loop in `critical`, and take it down again.

    Args:
        bundle: its models.
        directory: for the journal.
        setting: what the config says.
        pace_ms: longest time between windows; that of the setting counts where it is shorter.
    """
    seen = Seen()
    with rig(
        bundle,
        directory,
        width_px=setting.width_px,
        height_px=setting.height_px,
        threads=setting.threads,
        observe=seen.note,
    ) as bench:
        bench.loop.reuse = NEVER_THE_SAME if setting.reuse else None
        made = Stage(bench, seen, min(setting.period_ms, pace_ms) / 1e3)

        def failed(name: str, error: Exception) -> None:
            made.error = error

        swap = Worker("swap", bench.swapper.run, on_error=failed)
        swap.start()
        try:
            yield made
        finally:
            swap.stop(PATIENCE_S)
