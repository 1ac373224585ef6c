"""All sensors of the board, read into one immutable reading."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_daemon.clock import Clock, boottime_ns, monotonic_ns
from edge_daemon.governor.battery import BatteryProbe, Charge
from edge_daemon.governor.cpu import CpuLoad, CpuProbe
from edge_daemon.governor.memory import MemoryProbe
from edge_daemon.governor.rail import RailProbe
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.sensor import SCAN_S, Probe, Seen, Sensor, Value
from edge_daemon.governor.slow import SlowSensors
from edge_daemon.governor.stall import StallProbe
from edge_daemon.governor.thermal import Heat, ThermalProbe
from edge_daemon.governor.throttle import ThrottleProbe

LEAD_S = 0.1
"""How long before a reading to prepare it: most sensors have answered by then."""

_SUSPEND_NS = 1_000_000_000


class Probes:
    """Reads the board: CPU, memory, temperature, battery and throttle flags.

    A signal that the board does not have is named in `absent`. One that it has and that cannot be
    read is named in `failed` with the error; its last good value stands in for 5 s, then there is
    none. Nothing is ever read as 0 because it failed.

    CPU and memory are read in memory of the kernel's, in a microsecond or two each. The others ask
    chips on slow buses: `apart`, a thread of their own does that, and no driver can hold a reading
    up. Otherwise all happens on the thread that calls, in a fixed order.

    `read` and `prepare` are for one thread. The first CPU load needs two readings, or one that is
    0.2 s younger than this object.

    Args:
        root: the filesystem root.
        clock: CLOCK_BOOTTIME, which counts on during suspend.
        awake_clock: CLOCK_MONOTONIC, which does not: a suspend shows as their difference.
        cpu: the CPU probe, for a test that knows its own load.
        ignored_zones: types of thermal zones to leave out.
        battery: reads a battery that the kernel does not know, in place of those it knows.
        apart: read what may hang in a thread of its own.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Clock = boottime_ns,
        *,
        awake_clock: Clock = monotonic_ns,
        cpu: Callable[[Path], CpuProbe] = CpuProbe,
        ignored_zones: tuple[str, ...] = (),
        battery: Probe[Charge] | None = None,
        apart: bool = False,
    ) -> None:
        self._clock = clock
        self._awake_clock = awake_clock
        self._ignored = frozenset(ignored_zones)
        self._cpu_probe = cpu(root)
        self._cpu: Sensor[CpuLoad] = Sensor("cpu", lambda: self._cpu_probe)
        self._memory: Sensor[float] = Sensor("memory", lambda: MemoryProbe(root))
        # The zones hold their values themselves, one by one.
        self._heat: Sensor[Heat] = Sensor(
            "temperature",
            lambda: ThermalProbe(root, lambda: self._ignored),
            hold_s=0.0,
            error_in=lambda heat: heat.lost,
        )
        self._battery: Sensor[Charge] = Sensor("battery", lambda: battery or BatteryProbe(root))
        self._throttle: Sensor[tuple[str, ...]] = Sensor("throttle", lambda: ThrottleProbe(root))
        # Supplements: without them a board is neither lacking a signal nor failing to read one.
        self._rails: Sensor[float] = Sensor("power", lambda: RailProbe(root))
        self._cpu_stall = StallProbe(root, "cpu", "some")
        self._memory_stall = StallProbe(root, "memory", "full")
        slow = (self._heat, self._throttle, self._battery, self._rails)
        self._slow = SlowSensors(slow, clock, awake_clock) if apart else None
        self._prepared = False
        self._suspended_ns = clock() - awake_clock()
        self._scanned_ns = clock()
        # What the first load and the first waits are counted from.
        self._cpu.look(clock())
        self._cpu_stall.read(clock())
        self._memory_stall.read(clock())

    def prepare(self) -> None:
        """Have what may hang read now, so that the next reading finds it fresh; returns at once.

        Called `LEAD_S` before `read`. Without `apart` there is nothing to prepare.
        """
        if self._slow is not None:
            self._prepared = True
            self._forget_after_suspend(self._clock())
            self._slow.prepare()

    def read(self) -> Reading:
        """Return what the board says now. Never raises, never waits for what is read apart."""
        now_ns = self._clock()
        self._forget_after_suspend(now_ns)
        if not 0 <= now_ns - self._scanned_ns < SCAN_S * 1e9:
            self._scanned_ns = now_ns
            self._cpu_stall.scan()
            self._memory_stall.scan()
        cpu = self._cpu.look(now_ns)
        memory = self._memory.look(now_ns)
        cpu_pressure = self._cpu_stall.read(now_ns)
        memory_pressure = self._memory_stall.read(now_ns)
        temperature = self._latest(self._heat, now_ns)
        battery = self._latest(self._battery, now_ns)
        throttle = self._latest(self._throttle, now_ns)
        power_w = self._latest(self._rails, now_ns).value
        load, heat, charge = cpu.value, temperature.value, battery.value
        if charge is not None and charge.power_w is not None:
            power_w = charge.power_w
        signals: dict[str, Seen[Any]] = {
            "cpu": cpu,
            "memory": memory,
            "temperature": temperature,
            "battery": battery,
            "throttle": throttle,
        }
        absent, failed, failed_s = _flaws(signals, now_ns)
        if self._slow is not None and not self._prepared:
            self.prepare()  # at least for the next one
        self._prepared = False
        # By position down to the runtime: names take four times as long.
        return Reading(
            now_ns,
            None if load is None else _rounded(load.foreign, 1e4),
            None if load is None else _rounded(load.own, 1e4),
            _rounded(cpu_pressure, 1e4),
            self._cpu_probe.cores,
            _rounded(memory.value, 10.0),
            _rounded(memory_pressure, 1e4),
            None if heat is None else heat.temperature_c,
            None if heat is None else heat.zone,
            None if heat is None else heat.limit_c,
            None if heat is None else heat.critical_c,
            None if charge is None else _rounded(charge.fraction, 1e3),
            None if charge is None else charge.on_mains,
            _rounded(power_w, 1e3),
            None if charge is None else charge.runtime_s,
            throttled=throttle.value or (),
            absent=absent,
            failed=failed,
            failed_s=failed_s,
        )

    def ignore_zones(self, types: tuple[str, ...]) -> None:
        """Leave out other thermal zones, from the next reading on; from any thread."""
        if frozenset(types) != self._ignored:
            self._ignored = frozenset(types)
            self._heat.scan_soon = True

    def close(self) -> None:
        """Close all files, and end the thread that reads apart."""
        if self._slow is not None:
            self._slow.close()
        else:
            for sensor in (self._heat, self._throttle, self._battery, self._rails):
                sensor.close()
        self._cpu.close()
        self._memory.close()
        self._cpu_stall.close()
        self._memory_stall.close()

    def _latest(self, sensor: Sensor[Value], now_ns: int) -> Seen[Value]:
        return sensor.look(now_ns) if self._slow is None else self._slow.latest(sensor, now_ns)

    def _forget_after_suspend(self, now_ns: int) -> None:
        """Compare nothing across a suspend, and take no value for fresh that is from before."""
        if self._woke_up(now_ns):
            self._cpu_probe.reset()
            self._cpu_stall.reset()
            self._memory_stall.reset()
            if self._slow is not None:
                self._slow.woke_up(now_ns)

    def _woke_up(self, now_ns: int) -> bool:
        suspended_ns = now_ns - self._awake_clock()
        grew = suspended_ns - self._suspended_ns > _SUSPEND_NS
        self._suspended_ns = suspended_ns
        return grew


def _flaws(
    signals: dict[str, Seen[Any]], now_ns: int
) -> tuple[tuple[str, ...], dict[str, str], dict[str, float]]:
    """Return the signals that are absent, those that failed and why, and for how long these did."""
    absent: list[str] = []
    failed: dict[str, str] = {}
    failed_s: dict[str, float] = {}
    for name, seen in signals.items():
        if seen.absent:
            absent.append(name)
        elif seen.error is not None:
            failed[name] = seen.error
            failed_s[name] = round(max(0, now_ns - seen.good_ns) / 1e9, 1)
    return tuple(absent), failed, failed_s


def _rounded(value: float | None, parts: float) -> float | None:
    """Return a value as a whole number of `parts` of its unit.

    `round` with places goes by way of the digits, and takes three times as long.
    """
    try:
        return None if value is None else round(value * parts) / parts
    except OverflowError:  # a broken sensor's
        return value
