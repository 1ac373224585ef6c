"""What the board draws, from the sensors on its power rails."""

from pathlib import Path
from typing import NamedTuple

from edge_daemon.governor.boards import board_limits, board_model
from edge_daemon.governor.hwmon import monitors
from edge_daemon.governor.kernelfile import KernelFile, text_of

PERIOD_S = 1.0
"""A sensor on I²C takes about a millisecond to ask."""

_SENSORS = ("ina3221", "ina226", "ina238", "ina230", "ina231")
_MOST_W = 1000.0


class Rail(NamedTuple):
    """One rail: a power in µW, or a voltage in mV and a current in mA (hwmon/sysfs-interface)."""

    power: KernelFile | None
    volts: KernelFile
    amps: KernelFile

    def power_w(self) -> float:
        """Return the power that flows through it.

        Raises:
            OSError: it cannot be read.
            ValueError: it is malformed.
        """
        if self.power is not None:
            return self.power.read_int() / 1e6
        return self.volts.read_int() * self.amps.read_int() / 1e6

    def close(self) -> None:
        """Close its files."""
        for file in self:
            if file is not None:
                file.close()


class RailProbe:
    """The power of the rails that together feed the board, as the table of boards names them.

    A supplement: where the sensors do not tell, there is no power, and nothing failed.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rails: list[Rail] = []
        self._power_w: float | None = None
        self._read_ns: int | None = None
        self.scan()

    @property
    def present(self) -> bool:
        """Whether the board tells."""
        return bool(self._rails)

    def scan(self) -> None:
        """Look again for the sensors; they count when all rails have one."""
        self.close()
        wanted = board_limits(board_model(self._root)).power_rails
        found = _rails(self._root) if wanted else {}
        self._rails = [found[name] for name in wanted if name in found]
        if len(self._rails) < len(wanted):
            self._rails = []

    def read(self, now_ns: int) -> float | None:
        """Return the power in W, at most `PERIOD_S` old; None where it is not known."""
        if self._read_ns is None or not 0 <= now_ns - self._read_ns < PERIOD_S * 1e9:
            self._read_ns = now_ns
            self._power_w = self._sum_w()
        return self._power_w

    def close(self) -> None:
        """Close the files."""
        for rail in self._rails:
            rail.close()
        self._read_ns = None

    def _sum_w(self) -> float | None:
        try:
            power_w = sum(rail.power_w() for rail in self._rails)
        except (OSError, ValueError):
            return None
        return power_w if 0.0 < power_w <= _MOST_W else None


def _rails(root: Path) -> dict[str, Rail]:
    """Return all rails by the names that the device tree gives them."""
    found: dict[str, Rail] = {}
    for path in monitors(root, *_SENSORS):
        # A sensor of one rail has its name in `label`, one of three in `in1_label` to `in3_label`.
        for channel in range(1, 4):
            single = text_of(path / "label") if channel == 1 else None
            name = text_of(path / f"in{channel}_label") or single
            if name is None or name in found:
                continue
            power = path / f"power{channel}_input"
            found[name] = Rail(
                KernelFile(power, 64) if power.exists() else None,
                KernelFile(path / f"in{channel}_input", 64),
                KernelFile(path / f"curr{channel}_input", 64),
            )
    return found
