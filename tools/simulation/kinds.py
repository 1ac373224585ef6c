"""The kinds of traces, one function each: what a board in the field is exposed to.

A trace's foreign load is its `load` times a signal with a mean near 1, but for those that go to a
threshold of the published table. Memory that others leave shrinks with the load.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from edge_daemon.tier import Tier
from tools.simulation.board import Board
from tools.simulation.shapes import bursts, day, events, ramped, square, wander
from tools.simulation.trace import Floats, Trace

STEP_S = 0.25


@dataclass(slots=True)
class Maker:
    """Makes the traces of one set.

    Attributes:
        board: whose memory is shared.
        load: scale of the foreign load.
        seed: of everything that comes by chance.
        duration_s: length of each trace.
        ambient_c: temperature of the surroundings where a trace does not try it.
        random: made from the seed.
    """

    board: Board
    load: float
    seed: int
    duration_s: float
    ambient_c: float = 25.0
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    @property
    def steps(self) -> int:
        """Length of a trace in steps."""
        return round(self.duration_s / STEP_S)

    def wander(self, tau_s: float) -> Floats:
        """Return an AR(1) process, variance 1."""
        return wander(self.random, self.steps, STEP_S, tau_s)

    def square(self, period_s: float) -> Floats:
        """Return 0 and 1 in turn."""
        return square(self.steps, STEP_S, period_s)

    def trace(self, kind: str, foreign: Floats, variant: str = "") -> Trace:
        """Return a trace with this load and nothing else out of the ordinary."""
        free_mib = 270.0 - 100.0 * self.load
        slowdown = np.exp(0.03 * self.wander(20.0))
        return Trace(
            kind=kind,
            variant=variant,
            load=self.load,
            seed=self.seed,
            step_s=STEP_S,
            foreign=np.clip(foreign, 0.0, 3.0),
            neighbours_mib=np.full(self.steps, self.board.ram_mib - free_mib),
            ambient_c=np.full(self.steps, self.ambient_c),
            cooling=np.ones(self.steps),
            slowdown=slowdown,
            on_mains=np.ones(self.steps, dtype=np.bool_),
        )

    def restless(self) -> Floats:
        """Return a load as an ordinary board has it: it wanders, and cron jobs fall in."""
        slow, fast = self.wander(240.0), self.wander(8.0)
        jobs = ramped(events(self.random, self.steps, STEP_S, 300.0, 20.0), STEP_S, 1.0)
        return self.load * np.clip(0.9 + 0.18 * slow + 0.10 * fast + 1.3 * jobs, 0.05, None)


def constant(make: Maker) -> Trace:
    """Nothing changes but the noise of the sensors."""
    trace = make.trace("constant", np.full(make.steps, make.load))
    return replace(trace, slowdown=np.ones(make.steps))


def whole_day(make: Maker) -> Trace:
    """A day pressed into the trace."""
    shape = day(make.steps, STEP_S, make.duration_s, 0.0)
    return make.trace("day", make.load * shape + 0.04 * make.wander(30.0))


def morning(make: Maker) -> Trace:
    """An hour of a real day, from six on."""
    shape = day(make.steps, STEP_S, 86_400.0, 0.25 + 0.05 * make.random.random())
    return make.trace("morning", make.load * shape + 0.04 * make.wander(30.0))


def bursty(make: Maker) -> Trace:
    """Others work in bursts with heavy tails."""
    on = bursts(make.random, make.steps, STEP_S, 4.0, 8.0)
    return make.trace("bursts", make.load * (0.3 + 2.5 * ramped(on, STEP_S, 1.0)))


def waves(period_s: float) -> Callable[[Maker], Trace]:
    """A load that goes to and fro across the published table's threshold nearest to it."""

    def make_waves(make: Maker) -> Trace:
        low, high = min(
            ((0.28, 0.52), (0.58, 0.72), (0.78, 0.92)),
            key=lambda edges: abs(sum(edges) / 2.0 - make.load),
        )
        foreign = low + (high - low) * make.square(period_s)
        return make.trace("waves", foreign, f"{period_s:g} s")

    return make_waves


def memory_waves(period_s: float) -> Callable[[Maker], Trace]:
    """Memory that goes to and fro across what `high` needs."""

    def make_waves(make: Maker) -> Trace:
        trace = make.trace("memory waves", make.restless(), f"{period_s:g} s")
        free_mib = 200.0 - 75.0 * ramped(make.square(period_s), STEP_S, 1.0)
        return replace(trace, neighbours_mib=make.board.ram_mib - free_mib)

    return make_waves


def ramp(make: Maker) -> Trace:
    """A load that rises from nothing to two and a half times its scale, and falls again."""
    up = np.linspace(0.0, 2.5, make.steps // 2)
    return make.trace("ramp", make.load * np.concatenate([up, up[::-1]]))


def noisy(make: Maker) -> Trace:
    """Sensors three times as noisy as usual."""
    return replace(make.trace("noisy", make.restless()), noise=3.0)


def lost(make: Maker) -> Trace:
    """Sensors that cannot be read for seconds to minutes, one at a time or all together."""
    flags = {
        name: events(make.random, make.steps, STEP_S, every_s, length_s) > 0.0
        for name, every_s, length_s in (
            ("cpu", 400.0, 12.0),
            ("memory", 500.0, 20.0),
            ("temperature", 600.0, 90.0),
        )
    }
    first = make.steps // 2
    for signal in flags.values():
        signal[first : first + round(120.0 / STEP_S)] = True
    return replace(make.trace("lost", make.restless()), lost=flags)


def fan(make: Maker) -> Trace:
    """A fan that fails after a fifth of the time: everything warms up half as much again."""
    trace = make.trace("fan", make.restless())
    failed = np.arange(make.steps) > make.steps // 5
    return replace(trace, ambient_c=trace.ambient_c + 7.0, cooling=np.where(failed, 1.5, 1.0))


def sealed(make: Maker) -> Trace:
    """A box in the sun without air: only the cheapest tier keeps the board from powering off."""
    trace = make.trace("sealed", 0.6 * make.restless())
    board, ambient_c = make.board, 45.0
    clock = board.clocks[-1]
    busy = min(clock, 0.6 * make.load + board.own_load(Tier.CRITICAL)) * board.clock_ghz
    rise_c = board.critical_c - 4.0 - ambient_c - board.idle_rise_c
    closed = np.arange(make.steps) > make.steps // 4
    cooling = np.where(closed, rise_c / (sum(board.gains_c) * busy), 1.0)
    return replace(trace, ambient_c=np.full(make.steps, ambient_c), cooling=cooling)


def hot(make: Maker) -> Trace:
    """A hot afternoon behind glass."""
    trace = make.trace("hot", make.restless())
    course = np.sin(np.linspace(0.0, np.pi, make.steps))
    return replace(trace, ambient_c=trace.ambient_c + 5.0 + 13.0 * course)


def battery(make: Maker) -> Trace:
    """Off the mains for most of the time, on a charge that `high` throughout would not make."""
    trace = make.trace("battery", make.restless())
    steps = make.steps
    on_mains = np.ones(steps, dtype=np.bool_)
    on_mains[steps // 12 : steps - steps // 12] = False
    hours = float((~on_mains).sum()) * STEP_S / 3600.0
    ends = (make.board.own_load(tier) for tier in (Tier.CRITICAL, Tier.HIGH))
    middle = 0.5 * sum(ends)
    busy = np.minimum(1.0, trace.foreign[~on_mains].mean() + middle)
    charge_wh = (make.board.idle_w + make.board.busy_w * float(busy)) * hours
    return replace(trace, on_mains=on_mains, battery_wh=charge_wh)


def leak(make: Maker) -> Trace:
    """A neighbour that leaks memory until it is restarted."""
    trace = make.trace("leak", make.restless())
    free_mib = make.board.ram_mib - trace.neighbours_mib[0]
    period_s = make.duration_s / 2.6
    grown = (np.arange(make.steps) * STEP_S % period_s) / period_s
    return replace(trace, neighbours_mib=trace.neighbours_mib + (free_mib - 22.0) * grown)


def spikes(make: Maker) -> Trace:
    """A neighbour that takes much memory for half a minute, filling it within three seconds."""
    trace = make.trace("spikes", make.restless())
    free_mib = make.board.ram_mib - trace.neighbours_mib[0]
    taken = ramped(events(make.random, make.steps, STEP_S, 420.0, 30.0), STEP_S, 3.0)
    return replace(trace, neighbours_mib=trace.neighbours_mib + (free_mib - 45.0) * taken)


def ordinary(make: Maker) -> Trace:
    """Telemetry as a small board in use has it: load, memory and room temperature wander."""
    trace = make.trace("ordinary", make.restless())
    return replace(
        trace,
        neighbours_mib=trace.neighbours_mib + np.clip(28.0 * make.wander(300.0), -100.0, 100.0),
        ambient_c=trace.ambient_c + 2.0 * make.wander(1200.0),
    )
