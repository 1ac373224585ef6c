"""All sensors of the board, read into one immutable reading."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from edge_daemon.clock import Clock, boottime_ns, monotonic_ns
from edge_daemon.governor.battery import BatteryProbe, Charge
from edge_daemon.governor.cpu import CpuLoad, CpuProbe
from edge_daemon.governor.hold import HOLD_S, Hold
from edge_daemon.governor.memory import MemoryProbe
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.stall import StallProbe
from edge_daemon.governor.thermal import Heat, ThermalProbe
from edge_daemon.governor.throttle import ThrottleProbe

Value_co = TypeVar("Value_co", covariant=True)
Value = TypeVar("Value")

log = logging.getLogger(__name__)

SCAN_S = 60.0
"""How often sensors that came or went are looked for."""

RETRY_SCAN_S = 5.0
"""The same while one fails: its driver may have come back under another number."""

_SUSPEND_NS = 1_000_000_000


class Probe(Protocol[Value_co]):
    """What reads one signal."""

    @property
    def present(self) -> bool:
        """Whether this board has it."""

    def scan(self) -> None:
        """Look again for its files."""

    def read(self, now_ns: int) -> Value_co | None:
        """Return its value, None where there is none this time; raises OSError, ValueError."""

    def close(self) -> None:
        """Close its files."""


class Sensor(Generic[Value]):
    """A probe, its name in the reading and its last good value."""

    def __init__(self, name: str, probe: Probe[Value], hold_s: float = HOLD_S) -> None:
        self.name = name
        self.probe = probe
        self._hold: Hold[Value] = Hold(hold_s)

    def read(self, now_ns: int, absent: list[str], failed: dict[str, str]) -> Value | None:
        """Return the value; note in `absent` or `failed` why there is none, or only an old one."""
        if not self.probe.present:
            absent.append(self.name)
            return None
        try:
            value = self.probe.read(now_ns)
        except (OSError, ValueError) as error:
            failed[self.name] = str(error)
            return self._hold.value(now_ns)
        if value is not None:
            self._hold.keep(value, now_ns)
        return value


class Probes:
    """Reads the board: CPU, memory, temperature, battery and throttle flags.

    A signal that the board does not have is named in `absent`. One that it has and that cannot be
    read is named in `failed` with the error; its last good value stands in for 5 s, then there is
    none. Nothing is ever read as 0 because it failed.

    Not for use by several threads at once. The first CPU load needs two readings, or one that is
    0.2 s younger than this object.

    Args:
        root: the filesystem root.
        clock: CLOCK_BOOTTIME, which counts on during suspend.
        awake_clock: CLOCK_MONOTONIC, which does not: a suspend shows as their difference.
        cpu: the CPU probe, for a test that knows its own load.
        ignored_zones: types of thermal zones to leave out.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Clock = boottime_ns,
        *,
        awake_clock: Clock = monotonic_ns,
        cpu: Callable[[Path], CpuProbe] = CpuProbe,
        ignored_zones: tuple[str, ...] = (),
    ) -> None:
        self._clock = clock
        self._awake_clock = awake_clock
        self._cpu_probe = cpu(root)
        self._thermal_probe = ThermalProbe(root, ignored_zones)
        self._cpu: Sensor[CpuLoad] = Sensor("cpu", self._cpu_probe)
        self._memory: Sensor[float] = Sensor("memory", MemoryProbe(root))
        # The thermal probe holds the values of its zones itself, one by one.
        self._thermal: Sensor[Heat] = Sensor("temperature", self._thermal_probe, hold_s=0.0)
        self._battery: Sensor[Charge] = Sensor("battery", BatteryProbe(root))
        self._throttle: Sensor[tuple[str, ...]] = Sensor("throttle", ThrottleProbe(root))
        # Supplements: without them a board is neither lacking a signal nor failing to read one.
        self._cpu_stall = StallProbe(root, "cpu", "some")
        self._memory_stall = StallProbe(root, "memory", "full")
        self._suspended_ns = clock() - awake_clock()
        self._scanned_ns = clock()
        self._scan_now = False
        self._failing = False
        # What the first load and the first waits are counted from.
        self._cpu.read(clock(), [], {})
        self._cpu_stall.read(clock())
        self._memory_stall.read(clock())

    def read(self) -> Reading:
        """Return what the board says now. Never raises."""
        now_ns = self._clock()
        if self._woke_up(now_ns):
            self._cpu_probe.reset()
            self._cpu_stall.reset()
            self._memory_stall.reset()
        period_s = RETRY_SCAN_S if self._failing else SCAN_S
        if self._scan_now or now_ns - self._scanned_ns >= period_s * 1e9:
            self._scan_now = False
            self._scanned_ns = now_ns
            try:
                self.scan()
            except OSError as error:  # a directory that vanished while it was listed
                log.warning("sensors could not be looked for: %s", error)
        absent: list[str] = []
        failed: dict[str, str] = {}
        load = self._cpu.read(now_ns, absent, failed)
        memory_mib = self._memory.read(now_ns, absent, failed)
        cpu_pressure = self._cpu_stall.read(now_ns)
        memory_pressure = self._memory_stall.read(now_ns)
        heat = self._thermal.read(now_ns, absent, failed)
        if self._thermal_probe.lost is not None:
            failed["temperature"] = self._thermal_probe.lost
        charge = self._battery.read(now_ns, absent, failed)
        throttled = self._throttle.read(now_ns, absent, failed)
        self._failing = bool(failed)
        return Reading(
            time_ns=now_ns,
            cpu_foreign=None if load is None else round(load.foreign, 4),
            cpu_own=None if load is None else round(load.own, 4),
            cpu_pressure=None if cpu_pressure is None else round(cpu_pressure, 4),
            cores=self._cpu_probe.cores,
            memory_available_mib=None if memory_mib is None else round(memory_mib, 1),
            memory_pressure=None if memory_pressure is None else round(memory_pressure, 4),
            temperature_c=None if heat is None else heat.temperature_c,
            temperature_zone=None if heat is None else heat.zone,
            temperature_limit_c=None if heat is None else heat.limit_c,
            temperature_critical_c=None if heat is None else heat.critical_c,
            battery_fraction=None if charge is None else round(charge.fraction, 3),
            on_mains=None if charge is None else charge.on_mains,
            throttled=throttled or (),
            absent=tuple(absent),
            failed=failed,
        )

    def ignore_zones(self, types: tuple[str, ...]) -> None:
        """Leave out other thermal zones, from the next reading on; from any thread."""
        if frozenset(types) != self._thermal_probe.ignored:
            self._thermal_probe.ignored = frozenset(types)
            self._scan_now = True

    def scan(self) -> None:
        """Look again for sensors that came or went."""
        for sensor in (self._cpu, self._memory, self._thermal, self._battery, self._throttle):
            sensor.probe.scan()
        self._cpu_stall.scan()
        self._memory_stall.scan()

    def close(self) -> None:
        """Close all files."""
        for sensor in (self._cpu, self._memory, self._thermal, self._battery, self._throttle):
            sensor.probe.close()
        self._cpu_stall.close()
        self._memory_stall.close()

    def _woke_up(self, now_ns: int) -> bool:
        suspended_ns = now_ns - self._awake_clock()
        grew = suspended_ns - self._suspended_ns > _SUSPEND_NS
        self._suspended_ns = suspended_ns
        return grew
