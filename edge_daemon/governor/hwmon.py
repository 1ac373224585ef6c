"""Where the kernel's hardware monitors are, by name: their numbers change from boot to boot."""

from collections.abc import Iterator
from pathlib import Path

from edge_daemon.governor.kernelfile import text_of


def monitors(root: Path, *names: str) -> Iterator[Path]:
    """Yield the directories of the monitors with one of these names, in order of their numbers.

    Args:
        root: the filesystem root.
        names: as the driver writes them into `name`.
    """
    paths = sorted((root / "sys/class/hwmon").glob("hwmon*"), key=_number)
    yield from (path for path in paths if text_of(path / "name") in names)


def _number(path: Path) -> int:
    digits = path.name.removeprefix("hwmon")
    return int(digits) if digits.isdigit() else 1 << 30
