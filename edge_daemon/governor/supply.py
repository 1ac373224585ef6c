"""One battery, or one source of mains power, as /sys/class/power_supply shows it.

Units and words: ABI/testing/sysfs-class-power of the kernel's documentation. Energies are in µWh,
charges in µAh, voltages in µV, currents in µA, powers in µW; which of them there are, and the sign
of a current, depends on the driver.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.kernelfile import KernelFile, int_of, text_of

_BATTERY_FILES = (
    "status",
    "capacity",
    "capacity_level",
    "energy_now",
    "energy_full",
    "charge_now",
    "charge_full",
    "voltage_now",
    "voltage_min_design",
    "power_now",
    "current_now",
    "time_to_empty_avg",
    "time_to_empty_now",
)

# `Low` and `Critical` are the driver's alarms; the numbers in their place are assumed.
_LEVELS = {"Critical": 0.05, "Low": 0.15, "Normal": 0.5, "High": 0.8, "Full": 1.0}

_LEAST_W, _MOST_W = 0.01, 1000.0  # outside lies a wrong unit, or no measurement
_LEAST_V, _MOST_V = 1.0, 100.0
_LONGEST_S = 30 * 86_400.0


class Store(NamedTuple):
    """What one battery says of itself.

    Attributes:
        fraction: charge left, 0 to 1.
        status: `Charging`, `Discharging`, `Not charging`, `Full` or `Unknown`.
        energy_wh: energy left; None where the driver tells no size.
        full_wh: energy when full.
        power_w: size of the flow in or out; None where it is not measured.
        runtime_s: time left by the driver's own count.
    """

    fraction: float
    status: str
    energy_wh: float | None
    full_wh: float | None
    power_w: float | None
    runtime_s: float | None


class Battery:
    """One battery that feeds the board.

    Args:
        path: its directory.

    Attributes:
        name: its directory's name.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._files = {
            name: KernelFile(path / name, 64) for name in _BATTERY_FILES if (path / name).exists()
        }
        self._removable = (path / "present").exists()

    def read(self) -> Store:
        """Return what it says. What goes beyond the charge is left out where it cannot be read.

        Raises:
            OSError: its charge cannot be read.
            ValueError: what it says is no charge.
        """
        full_wh = self._energy_wh("full")
        fraction = self.fraction()
        energy_wh = self._energy_wh("now")
        if energy_wh is None and full_wh is not None:
            energy_wh = fraction * full_wh
        runtime_s = self._number("time_to_empty_avg") or self._number("time_to_empty_now") or 0.0
        return Store(
            fraction=fraction,
            status=self._text("status") or "Unknown",
            energy_wh=energy_wh,
            full_wh=full_wh,
            power_w=self._power_w(),
            runtime_s=runtime_s if 0.0 < runtime_s <= _LONGEST_S else None,
        )

    def fraction(self) -> float:
        """Return the charge left, 0 to 1.

        The driver's percentage counts, unless it is none, or 0, which some drivers say while they
        do not know: then the energy does, or the charge, or else the level in words.

        Raises:
            OSError: a file cannot be read.
            ValueError: what it says is no charge.
        """
        capacity = self._files.get("capacity")
        percent: int | None = None
        problem: OSError | ValueError | None = None
        if capacity is not None:
            try:
                percent = capacity.read_int()
            except (OSError, ValueError) as error:
                problem = error
            else:
                if 0 < percent <= 100:
                    return percent / 100
                if percent != 0:
                    problem = ValueError(f"{capacity.path} says {percent}: not a percentage")
        for kind in ("energy", "charge"):
            now, full = self._number(f"{kind}_now"), self._number(f"{kind}_full")
            if now is not None and full is not None and now >= 0 and full > 0:
                return min(1.0, now / full)
        if percent == 0:
            return 0.0
        if problem is None and (level := _LEVELS.get(self._text("capacity_level") or "")):
            return level
        raise problem or ValueError(f"{self._path} tells neither a percentage nor an energy")

    def put_in(self) -> bool:
        """Whether the battery is there; only one that says 0 is not."""
        return not self._removable or int_of(self._path / "present") != 0

    def close(self) -> None:
        """Close its files."""
        for file in self._files.values():
            file.close()

    def _energy_wh(self, which: str) -> float | None:
        """Return the energy `now` or when `full`; a charge counts at the lowest design voltage."""
        energy_uwh = self._number(f"energy_{which}")
        if energy_uwh is not None:
            return energy_uwh / 1e6 if energy_uwh >= 0 else None
        charge_uah = self._number(f"charge_{which}")
        volts = self._volts("voltage_min_design") or self._volts("voltage_now")
        if charge_uah is None or charge_uah < 0 or volts is None:
            return None
        return charge_uah / 1e6 * volts

    def _power_w(self) -> float | None:
        power_uw = self._number("power_now")
        if not power_uw:
            current_ua, volts = self._number("current_now"), self._volts("voltage_now")
            if current_ua is None or volts is None:
                return None
            power_uw = current_ua * volts
        power_w = abs(power_uw) / 1e6
        return power_w if _LEAST_W <= power_w <= _MOST_W else None

    def _volts(self, name: str) -> float | None:
        voltage_uv = self._number(name)
        if voltage_uv is None or not _LEAST_V <= voltage_uv / 1e6 <= _MOST_V:
            return None
        return voltage_uv / 1e6

    def _number(self, name: str) -> float | None:
        file = self._files.get(name)
        try:
            return None if file is None else float(file.read_int())
        except (OSError, ValueError):
            return None

    def _text(self, name: str) -> str | None:
        file = self._files.get(name)
        try:
            return None if file is None else file.read_text()
        except (OSError, ValueError):
            return None


class Mains:
    """One source of power from outside: mains, USB or wireless.

    Args:
        path: its directory.
    """

    def __init__(self, path: Path) -> None:
        self._online = KernelFile(path / "online", 64)

    def online(self) -> bool | None:
        """Whether it gives power (2 stands for a programmable supply); None where it is unknown."""
        try:
            return self._online.read_int() > 0
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Close its file."""
        self._online.close()


def list_batteries(root: Path) -> list[Battery]:
    """Return the batteries that feed the board: not those of a mouse or a headset.

    Args:
        root: the filesystem root.
    """
    return [Battery(path) for path, kind in _supplies(root) if kind == "Battery"]


def list_mains(root: Path) -> list[Mains]:
    """Return what may feed the board from outside, of the supplies that say whether they do.

    Args:
        root: the filesystem root.
    """
    return [
        Mains(path)
        for path, kind in _supplies(root)
        # Before Linux 4.19 `USB_DCP`, `USB_PD` and others told the kind of the port.
        if kind.startswith(("Mains", "USB", "Wireless")) and (path / "online").exists()
    ]


def _supplies(root: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted((root / "sys/class/power_supply").glob("*")):
        kind = text_of(path / "type")
        if kind is not None and text_of(path / "scope") != "Device":
            yield path, kind
