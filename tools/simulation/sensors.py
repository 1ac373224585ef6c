"""Readings of the simulated board: quantised, noisy, late, and sometimes missing."""

import math
from dataclasses import dataclass

import numpy as np

from edge_daemon.governor.firmware import THROTTLED
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier
from tools.simulation.board import Board
from tools.simulation.trace import Trace

TICKS_HZ = 100
"""Unit of the kernel's CPU times."""

HOLD_S = 5.0
"""How long the value of a sensor that fails is handed on, as the daemon's probes do."""

_TEMPERATURE_STEP_C = 0.5
_LATE_S = 0.5
_OWN_SEEN = 0.9  # the rest is the kernel's work for the camera, which looks like somebody else's
_FIELDS = {
    "cpu": ("cpu_foreign", "cpu_own", "cpu_pressure"),
    "memory": ("memory_available_mib", "memory_pressure"),
    "temperature": ("temperature_c",),
    "battery": ("battery_fraction", "power_w", "runtime_s"),
}


@dataclass(slots=True)
class Span:
    """What the probes count from one reading to the next.

    Attributes:
        seconds: how long it is.
        own_s: time in which the daemon kept all cores busy.
        foreign_s: time in which others did.
        waiting_s: time in which something waited for a core.
        stalled_s: time in which everything waited for memory.
        window_ms: sum of the times of all windows.
        windows: how many there were.
        late: how many of them missed their deadline.
        swapped: whether a swap fell in.
    """

    seconds: float = 0.0
    own_s: float = 0.0
    foreign_s: float = 0.0
    waiting_s: float = 0.0
    stalled_s: float = 0.0
    window_ms: float = 0.0
    windows: float = 0.0
    late: float = 0.0
    swapped: bool = False

    @property
    def skipped(self) -> float:
        """Windows whose time passed while the one before overran its own."""
        overruns = self.late / self.windows if self.windows else 0.0
        return self.windows * overruns / (1.0 + overruns)

    def add_windows(self, count: float, cycle_ms: float, on_time: float) -> None:
        """Count windows of the same time, of which a share was on time."""
        self.window_ms += count * cycle_ms
        self.windows += count
        self.late += count * (1.0 - on_time)


class Sensors:
    """The probes of the simulated board. Noise is a function of time, the same for every policy.

    Args:
        board: limits of the temperature.
        trace: noise, seed and lost sensors.
    """

    def __init__(self, board: Board, trace: Trace) -> None:
        random = np.random.default_rng((trace.seed, 77))
        noise = trace.noise * random.standard_normal((trace.steps, 5))
        self._noise: list[list[float]] = noise.tolist()
        self._board = board
        self._trace = trace
        self._lost = {name: flags.tolist() for name, flags in trace.lost.items()}
        self._kept: dict[str, tuple[float, dict[str, float | None]]] = {}
        absent = () if trace.battery_wh is not None else ("battery",)
        self._absent = absent
        self._late = max(0, round(_LATE_S / trace.step_s) - 1)
        self._heats: list[float] = []

    def feel(self, temperature_c: float) -> None:
        """Take note of the temperature at the end of a step; the sensor says it a little later."""
        self._heats.append(temperature_c)

    def read(
        self, step: int, span: Span, tier: Tier, free_mib: float, stage: int, energy_wh: float
    ) -> Reading:
        """Return what the probes say at the end of a step.

        Args:
            step: number of the step.
            span: since the last reading.
            tier: that ran.
            free_mib: memory that is left, below 0 where there is too little.
            stage: of throttling.
            energy_wh: left in the battery.
        """
        noise = self._noise[step]
        stalled = span.stalled_s / span.seconds if span.seconds > 0.0 else 0.0
        values: dict[str, float | None] = {
            **self._cpu(span, noise[0]),
            "memory_available_mib": max(0.0, round(free_mib + 2.0 * noise[1], 1)),
            "memory_pressure": min(1.0, stalled),
            "temperature_c": self._temperature_c(noise[2]),
            **self._battery(step, energy_wh, span, noise[3]),
        }
        failed = self._fail(step, values)
        on_mains = bool(self._trace.on_mains[step]) if self._trace.battery_wh is not None else None
        count = round(span.windows)
        cycle_ms = None
        if count and not span.swapped:
            spread = self._board.jitter / math.sqrt(count)
            cycle_ms = span.window_ms / span.windows * math.exp(spread * noise[4])
        return Reading(
            time_ns=round((step + 1) * self._trace.step_s * 1e9),
            cpu_foreign=values["cpu_foreign"],
            cpu_own=values["cpu_own"],
            cpu_pressure=values["cpu_pressure"],
            cores=float(self._board.cores),
            memory_available_mib=values["memory_available_mib"],
            memory_pressure=values["memory_pressure"],
            temperature_c=values["temperature_c"],
            temperature_zone="cpu-thermal",
            temperature_limit_c=self._board.throttle_c[0],
            temperature_critical_c=self._board.critical_c,
            battery_fraction=values["battery_fraction"],
            on_mains=on_mains,
            power_w=values["power_w"],
            runtime_s=values["runtime_s"],
            cycle_ms=cycle_ms,
            cycle_tier=None if cycle_ms is None else tier,
            cycles=count,
            due=count,
            late=round(span.skipped),
            throttled=(THROTTLED,) if stage else (),
            absent=self._absent,
            failed=failed,
        )

    def _cpu(self, span: Span, noise: float) -> dict[str, float | None]:
        if span.seconds <= 0.0:
            return dict.fromkeys(_FIELDS["cpu"])
        ticks = TICKS_HZ * self._board.cores * span.seconds
        own = span.own_s / span.seconds * _OWN_SEEN
        busy = (span.own_s + span.foreign_s) / span.seconds
        foreign = busy - own + noise * 0.02 / math.sqrt(span.seconds)
        return {
            "cpu_foreign": min(1.0, max(0.0, round(foreign * ticks) / ticks)),
            "cpu_own": min(1.0, own),
            "cpu_pressure": min(1.0, span.waiting_s / span.seconds),
        }

    def _temperature_c(self, noise: float) -> float:
        heats = self._heats
        felt_c = heats[max(0, len(heats) - 1 - self._late)] + 0.3 * noise
        return round(felt_c / _TEMPERATURE_STEP_C) * _TEMPERATURE_STEP_C

    def _battery(
        self, step: int, energy_wh: float, span: Span, noise: float
    ) -> dict[str, float | None]:
        whole_wh = self._trace.battery_wh
        if whole_wh is None:
            return dict.fromkeys(_FIELDS["battery"])
        fraction = round(100.0 * energy_wh / whole_wh) / 100.0
        if self._trace.on_mains[step] or span.seconds <= 0.0:
            return {"battery_fraction": fraction, "power_w": None, "runtime_s": None}
        busy = (span.own_s + span.foreign_s) / span.seconds
        power_w = (self._board.idle_w + self._board.busy_w * busy) * (1.0 + 0.02 * noise)
        runtime_s = fraction * whole_wh / power_w * 3600.0
        return {"battery_fraction": fraction, "power_w": power_w, "runtime_s": runtime_s}

    def _fail(self, step: int, values: dict[str, float | None]) -> dict[str, str]:
        """Replace what cannot be read by what was read last, as long as that counts."""
        failed: dict[str, str] = {}
        hold_steps = HOLD_S / self._trace.step_s
        for name, lost in self._lost.items():
            if not lost[step]:
                self._kept[name] = (step, {field: values[field] for field in _FIELDS[name]})
                continue
            failed[name] = "[Errno 5] Input/output error"
            kept_step, kept = self._kept.get(name, (-math.inf, {}))
            held = step - kept_step <= hold_steps
            values.update(kept if held else dict.fromkeys(_FIELDS[name]))
        return failed
