"""How much charge is left, for how long, and whether it matters."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.runtime import MeanPower, runtime_s
from edge_daemon.governor.supply import Battery, Mains, Store, list_batteries, list_mains

PERIOD_S = 5.0
"""Charge moves slowly, while a fuel gauge on I²C or ACPI takes up to milliseconds to ask."""


class Charge(NamedTuple):
    """All batteries together.

    Attributes:
        fraction: charge left, 0 to 1.
        on_mains: whether the mains feed the board; None where nothing tells.
        energy_wh: energy left.
        power_w: what the batteries give; None while they do not feed the board.
        runtime_s: how long the energy lasts at the mean power of the last minute.
    """

    fraction: float
    on_mains: bool | None
    energy_wh: float | None = None
    power_w: float | None = None
    runtime_s: float | None = None


class BatteryProbe:
    """The charge of all batteries that feed the board, and where its power comes from.

    A battery that is taken out, as its driver says, is gone. When the directory of the last one
    vanishes, it is gone only where a supply says that it feeds the board. Else its gauge is lost,
    and reading fails: the board may well run on it still.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._batteries: list[Battery] = []
        self._mains: list[Mains] = []
        self._lost: set[str] = set()
        self._charge: Charge | None = None
        self._mean = MeanPower(PERIOD_S)
        self._read_ns = 0
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the board has a battery; without one it can only run from the mains."""
        return bool(self._batteries or self._lost)

    def scan(self) -> None:
        """Look again for batteries and supplies: either can be unplugged."""
        self.close()
        before = {battery.name for battery in self._batteries} | self._lost
        found = list_batteries(self._root)
        self._mains = list_mains(self._root)
        self._batteries = [battery for battery in found if battery.put_in()]
        self._lost = before - {battery.name for battery in found}
        if self._batteries or any(mains.online() for mains in self._mains):
            self._lost.clear()

    def read(self, now_ns: int) -> Charge | None:
        """Return the charge, at most `PERIOD_S` old; None just after the last one was taken out.

        Raises:
            OSError: a file cannot be read.
            ValueError: what one says is no charge, or one vanished.
        """
        if self._charge is not None and 0 <= now_ns - self._read_ns < PERIOD_S * 1e9:
            return self._charge
        self._charge = None
        if self._lost:
            names = ", ".join(sorted(self._lost))
            raise ValueError(f"{names}: the battery vanished and no supply feeds the board")
        stores = [battery.read() for battery in self._batteries if battery.put_in()]
        if not stores:
            return None
        online = [mains.online() for mains in self._mains]
        on_mains = is_on_mains([store.status for store in stores], online)
        power_w, left_s = None, None
        if on_mains is False:
            power_w = _power_w(stores)
        energy_wh = _total([store.energy_wh for store in stores])
        if power_w is not None:
            left_s = runtime_s(energy_wh, self._mean.add(power_w, now_ns))
        else:
            self._mean.forget()
        if left_s is None and on_mains is False and len(stores) == 1:
            left_s = stores[0].runtime_s
        self._charge = Charge(_fraction(stores), on_mains, energy_wh, power_w, left_s)
        self._read_ns = now_ns
        return self._charge

    def close(self) -> None:
        """Close the files."""
        for battery in self._batteries:
            battery.close()
        for mains in self._mains:
            mains.close()
        self._charge = None


def is_on_mains(statuses: Sequence[str], online: Sequence[bool | None]) -> bool | None:
    """Return whether the mains feed the board; None where nothing tells.

    Args:
        statuses: of the batteries.
        online: of the supplies; None for one that cannot be read.
    """
    if "Discharging" in statuses:
        return False  # even beside a supply that is online: it is too weak then
    if "Charging" in statuses or True in online:
        return True
    if False in online:
        return False
    return True if {"Full", "Not charging"} & set(statuses) else None


def _fraction(stores: Sequence[Store]) -> float:
    """Return the charge of all, weighed by size where all tell theirs."""
    weights = [store.full_wh or 0.0 for store in stores]
    if min(weights) <= 0.0:
        weights = [1.0] * len(stores)
    pairs = zip(stores, weights, strict=True)
    return sum(store.fraction * weight for store, weight in pairs) / sum(weights)


def _power_w(stores: Sequence[Store]) -> float | None:
    """Return what the batteries that feed the board give together."""
    feeding = [store for store in stores if store.status == "Discharging"]
    feeding = feeding or [store for store in stores if store.status == "Unknown"]
    return _total([store.power_w for store in feeding])


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
