"""Whether the firmware holds the board back right now, and why."""

from pathlib import Path

from edge_daemon.governor.boards import board_limits, board_model
from edge_daemon.governor.firmware import (
    FREQUENCY_CAPPED,
    OVER_CURRENT,
    SOFT_LIMIT,
    THROTTLED,
    UNDER_VOLTAGE,
)
from edge_daemon.governor.hwmon import monitors
from edge_daemon.governor.kernelfile import KernelFile, text_of

# Bits 0 to 3 say "now"; the same plus 16 "since boot"
# (raspberrypi.com/documentation/computers/os.html, vcgencmd get_throttled).
_BITS = (UNDER_VOLTAGE, FREQUENCY_CAPPED, THROTTLED, SOFT_LIMIT)

EVENT_S = 5.0
"""An event is over before anybody can look; its flag stands this long."""


class Counter:
    """One over-current event counter.

    Args:
        path: its file.
        flag: what its events mean.
    """

    def __init__(self, path: Path, flag: str) -> None:
        self.file = KernelFile(path, 64)
        self.flag = flag
        self._count: int | None = None
        self._rose_ns: int | None = None

    def active(self, now_ns: int) -> bool:
        """Return whether it rose within `EVENT_S`; one that goes back has begun anew.

        Raises:
            OSError: it cannot be read.
            ValueError: it is malformed.
        """
        count = self.file.read_int()
        if self._count is not None and count > self._count:
            self._rose_ns = now_ns
        self._count = count
        return self._rose_ns is not None and 0 <= now_ns - self._rose_ns < EVENT_S * 1e9


class ThrottleProbe:
    """The Pi's throttle flags and under-voltage alarm, the Jetson's over-current counters.

    The sysfs copy of get_throttled is hex without `0x`, at most 2 s old, and stays 0 on some
    firmware: the voltage alarm of the hwmon driver is asked as well, and either one counts.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._flags: KernelFile | None = None
        self._alarm: KernelFile | None = None
        self._counters: list[Counter] = []
        self.scan()

    @property
    def present(self) -> bool:
        """Whether this board tells."""
        return self._flags is not None or self._alarm is not None or bool(self._counters)

    def scan(self) -> None:
        """Look again for the files; one that was there once stays asked for."""
        self._flags = _kept(self._flags, throttle_flags(self._root))
        self._alarm = _kept(self._alarm, _alarm(self._root))
        found = _counters(self._root)
        if found and [path for path, _ in found] != [it.file.path for it in self._counters]:
            for counter in self._counters:
                counter.file.close()
            self._counters = [Counter(path, flag) for path, flag in found]

    def read(self, now_ns: int) -> tuple[str, ...]:
        """Return the names of what holds the board back, in a fixed order.

        Raises:
            OSError: a file cannot be read, and no other tells that the board is held back.
            ValueError: the same for one that is malformed.
        """
        found: set[str] = set()
        problem: OSError | ValueError | None = None
        try:
            if self._alarm is not None and self._alarm.read_int() != 0:
                found.add(UNDER_VOLTAGE)
        except (OSError, ValueError) as error:
            problem = error
        try:
            bits = 0 if self._flags is None else _hex(self._flags)
            found.update(name for bit, name in enumerate(_BITS) if bits >> bit & 1)
        except (OSError, ValueError) as error:
            problem = problem or error
        for counter in self._counters:
            try:
                if counter.active(now_ns):
                    found.add(counter.flag)
            except (OSError, ValueError) as error:
                problem = problem or error
        if problem is not None and not found:
            raise problem
        return tuple(name for name in (*_BITS, OVER_CURRENT) if name in found)

    def close(self) -> None:
        """Close the files."""
        for file in (self._flags, self._alarm, *(counter.file for counter in self._counters)):
            if file is not None:
                file.close()


def throttle_flags(root: Path) -> Path | None:
    """Return the sysfs copy of get_throttled, whose place differs between boards and kernels."""
    platform = root / "sys/devices/platform"
    for pattern in ("soc*/*firmware/get_throttled", "*firmware/get_throttled"):
        for path in sorted(platform.glob(pattern)):
            return path
    return None


def throttled_since_boot(root: Path) -> tuple[str, ...]:
    """Return what held the board back at any time since it booted; () where nothing tells."""
    flags = throttle_flags(root)
    text = None if flags is None else text_of(flags)
    try:
        bits = int(text or "0", 16) >> 16
    except ValueError:
        return ()
    return tuple(name for bit, name in enumerate(_BITS) if bits >> bit & 1)


def _alarm(root: Path) -> Path | None:
    alarms = (path / "in0_lcrit_alarm" for path in monitors(root, "rpi_volt"))
    return next((path for path in alarms if path.exists()), None)


def _counters(root: Path) -> list[tuple[Path, str]]:
    """Return the files that count over-current events, with what an event means."""
    drops = board_limits(board_model(root)).under_voltage_counters
    return [
        (file, UNDER_VOLTAGE if file.name.partition("_")[0] in drops else OVER_CURRENT)
        for path in monitors(root, "soctherm_oc")
        for file in sorted(path.glob("oc*_event_cnt"))
    ]


def _kept(old: KernelFile | None, path: Path | None) -> KernelFile | None:
    """Return the file of a path that was found; where none was, the one known so far."""
    if path is None or (old is not None and old.path == path):
        return old
    if old is not None:
        old.close()
    return KernelFile(path, 64)


def _hex(file: KernelFile) -> int:
    text = file.read_text()
    try:
        return int(text, 16)
    except ValueError:
        raise ValueError(f"{file.path} holds {text[:32]!r}, not a hexadecimal number") from None
