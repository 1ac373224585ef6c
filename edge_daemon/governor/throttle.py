"""Whether the firmware holds the board back right now, and why."""

from collections.abc import Iterator
from pathlib import Path

from edge_daemon.governor.kernelfile import KernelFile, text_of

UNDER_VOLTAGE = "under-voltage"
FREQUENCY_CAPPED = "frequency-capped"
THROTTLED = "throttled"
SOFT_LIMIT = "soft-limit"
OVER_CURRENT = "over-current"

# Bits 0 to 3 say "now"; the same plus 16 "since boot"
# (raspberrypi.com/documentation/computers/os.html, vcgencmd get_throttled).
_BITS = (UNDER_VOLTAGE, FREQUENCY_CAPPED, THROTTLED, SOFT_LIMIT)


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
        self._counters: list[KernelFile] = []
        self._counts: list[int] | None = None
        self.scan()

    @property
    def present(self) -> bool:
        """Whether this board tells."""
        return self._flags is not None or self._alarm is not None or bool(self._counters)

    def scan(self) -> None:
        """Look again for the files; one that was there once stays asked for."""
        flags = throttle_flags(self._root)
        if self._flags is None and flags is not None:
            self._flags = KernelFile(flags, 64)
        alarms = [path / "in0_lcrit_alarm" for path in _hwmon(self._root, "rpi_volt")]
        if self._alarm is None and alarms and alarms[0].exists():
            self._alarm = KernelFile(alarms[0], 64)
        if not self._counters:
            self._counters = [
                KernelFile(file, 64)
                for path in _hwmon(self._root, "soctherm_oc")
                for file in sorted(path.glob("oc*_event_cnt"))
            ]

    def read(self, now_ns: int) -> tuple[str, ...]:
        """Return the names of what holds the board back, in a fixed order.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file is malformed.
        """
        del now_ns
        bits = 0 if self._flags is None else _hex(self._flags)
        if self._alarm is not None and self._alarm.read_int() != 0:
            bits |= 1
        names = tuple(name for bit, name in enumerate(_BITS) if bits >> bit & 1)
        if self._counters:
            counts = [file.read_int() for file in self._counters]
            if self._counts is not None and counts != self._counts:
                names += (OVER_CURRENT,)
            self._counts = counts
        return names

    def close(self) -> None:
        """Close the files."""
        for file in (self._flags, self._alarm, *self._counters):
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


def _hwmon(root: Path, name: str) -> Iterator[Path]:
    for path in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if text_of(path / "name") == name:
            yield path


def _hex(file: KernelFile) -> int:
    text = file.read_text()
    try:
        return int(text, 16)
    except ValueError:
        raise ValueError(f"{file.path} holds {text[:32]!r}, not a hexadecimal number") from None
