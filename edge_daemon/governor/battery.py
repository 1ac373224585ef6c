"""How much charge is left, and whether it matters."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.kernelfile import KernelFile, int_of, text_of

PERIOD_S = 5.0
"""Charge moves slowly, while a fuel gauge on I²C or ACPI takes up to milliseconds to ask."""

_MAINS_TYPES = ("Mains", "USB", "Wireless")
_FED = ("Charging", "Full", "Not charging")


class Charge(NamedTuple):
    """All batteries together: the fraction left, 0 to 1, and whether the mains feed the board."""

    fraction: float
    on_mains: bool | None


@dataclass(slots=True)
class Battery:
    """One battery that feeds the board (docs.kernel.org/power/power_supply_class.html).

    Attributes:
        name: its directory's name.
        status: its charging status.
        present: 0 where a battery can be taken out and is; None where it cannot.
        capacity: percent left; None where the driver does not say.
        now: energy (µWh) or charge (µAh) left.
        full: the same when full.
        weighs_energy: whether `full` is an energy, which batteries can be weighed by.
    """

    name: str
    status: KernelFile | None
    present: Path | None
    capacity: KernelFile | None
    now: KernelFile | None
    full: KernelFile | None
    weighs_energy: bool

    def fraction(self) -> float:
        """Return the charge left, 0 to 1.

        Raises:
            OSError: a file cannot be read.
            ValueError: what it says is no charge.
        """
        if self.capacity is not None:
            percent = self.capacity.read_int()
            if not 0 <= percent <= 100:
                raise ValueError(f"{self.capacity.path} says {percent}: not a percentage")
            return percent / 100
        if self.now is None or self.full is None:
            raise ValueError(f"battery {self.name} tells neither its capacity nor its energy")
        now, full = self.now.read_int(), self.full.read_int()
        if full <= 0 or now < 0:
            raise ValueError(f"{self.full.path} says {full}, {self.now.path.name} says {now}")
        return min(1.0, now / full)

    def put_in(self) -> bool:
        """Whether the battery is there; only one that says 0 is not."""
        return self.present is None or int_of(self.present) != 0

    def files(self) -> list[KernelFile]:
        """Return the files it is read from."""
        files = (self.status, self.capacity, self.now, self.full)
        return [file for file in files if file is not None]


class BatteryProbe:
    """The charge of all batteries that feed the board, and where its power comes from.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._batteries: list[Battery] = []
        self._supplies: list[KernelFile] = []
        self._charge: Charge | None = None
        self._read_ns = 0
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the board has a battery; without one it can only run from the mains."""
        return bool(self._batteries)

    def scan(self) -> None:
        """Look again for batteries and supplies: either can be unplugged."""
        self.close()
        self._batteries = [battery for battery in list_batteries(self._root) if battery.put_in()]
        self._supplies = _supplies(self._root)

    def read(self, now_ns: int) -> Charge | None:
        """Return the charge, at most `PERIOD_S` old; None just after the last one was taken out.

        Raises:
            OSError: a file cannot be read.
            ValueError: what one says is no charge.
        """
        if self._charge is not None and 0 <= now_ns - self._read_ns < PERIOD_S * 1e9:
            return self._charge
        self._charge = None
        fractions: list[float] = []
        weights: list[float] = []
        statuses: list[str] = []
        for battery in self._batteries:
            if not battery.put_in():
                continue
            fractions.append(battery.fraction())
            weights.append(_weight(battery))
            statuses.append(battery.status.read_text() if battery.status else "Unknown")
        if not fractions:
            return None
        if min(weights) <= 0:  # not all batteries say how big they are
            weights = [1.0] * len(fractions)
        charge = sum(f * w for f, w in zip(fractions, weights, strict=True)) / sum(weights)
        online = [file.read_int() > 0 for file in self._supplies]
        self._charge = Charge(charge, _on_mains(statuses, online))
        self._read_ns = now_ns
        return self._charge

    def close(self) -> None:
        """Close the files."""
        for battery in self._batteries:
            for file in battery.files():
                file.close()
        for file in self._supplies:
            file.close()
        self._charge = None


def list_batteries(root: Path) -> list[Battery]:
    """Return the batteries that feed the board: not those of a mouse or a headset.

    Args:
        root: the filesystem root.
    """
    return [
        _battery(path)
        for path in sorted((root / "sys/class/power_supply").glob("*"))
        if text_of(path / "type") == "Battery" and text_of(path / "scope") != "Device"
    ]


def _supplies(root: Path) -> list[KernelFile]:
    return [
        KernelFile(path / "online", 64)
        for path in sorted((root / "sys/class/power_supply").glob("*"))
        if text_of(path / "type") in _MAINS_TYPES
        and text_of(path / "scope") != "Device"
        and text_of(path / "online") is not None
    ]


def _battery(path: Path) -> Battery:
    def file(name: str) -> KernelFile | None:
        return KernelFile(path / name, 64) if (path / name).exists() else None

    energy = file("energy_now"), file("energy_full")
    charge = file("charge_now"), file("charge_full")
    weighs_energy = None not in energy
    now, full = energy if weighs_energy else charge
    present = path / "present" if (path / "present").exists() else None
    status, capacity = file("status"), file("capacity")
    return Battery(path.name, status, present, capacity, now, full, weighs_energy)


def _weight(battery: Battery) -> float:
    if not battery.weighs_energy or battery.full is None:
        return 0.0
    return float(battery.full.read_int())


def _on_mains(statuses: list[str], online: list[bool]) -> bool | None:
    if "Discharging" in statuses:
        return False  # even beside a supply that is online: it is too weak then
    if online:
        return any(online)
    return True if any(status in _FED for status in statuses) else None
