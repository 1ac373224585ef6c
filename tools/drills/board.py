"""A board's sensors as files that a drill may write: a thermal zone and a battery."""

import os
from pathlib import Path

from tools.drills.lines import Line

TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"
CHARGE = "sys/class/power_supply/battery/capacity"

_FILES = {
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/trip_point_0_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp": "85000",
    TEMPERATURE: "45000",
    "sys/class/power_supply/battery/type": "Battery",
    "sys/class/power_supply/battery/scope": "System",
    "sys/class/power_supply/battery/present": "1",
    "sys/class/power_supply/battery/status": "Discharging",
    CHARGE: "80",
}

SECTIONS = {"governor": {"reading_every_s": 1.0}}
"""What the config needs, so that the end of a fault shows as soon as its begin."""


def make_board(folder: Path) -> Path:
    """Make a root for the probes: sensors of files, and the machine's own /proc and groups."""
    root = folder / "board"
    for name, text in _FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="ascii")
    (root / "sys/fs").symlink_to("/sys/fs")
    (root / "proc").symlink_to("/proc")
    return root


def overwrite(file: Path, content: bytes) -> None:
    """Change what a file gives from now on, in place, as the kernel does."""
    fd = os.open(file, os.O_WRONLY)
    try:
        os.pwrite(fd, content, 0)
        os.ftruncate(fd, len(content))
    finally:
        os.close(fd)


def well(line: Line) -> bool:
    """Return whether a line is a reading in which nothing has failed."""
    return line.event == "reading" and not line.fields["reading"].get("failed")


def failing(line: Line) -> bool:
    """Return whether a line says that a sensor fails."""
    return line.says("fault", part="governor")
