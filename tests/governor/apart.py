"""A board whose slow sensors are read apart, by real threads, in time that a test moves."""

import threading
from pathlib import Path

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.reading import Reading
from tests.governor.driver import Hang, wait_for
from tests.governor.sysroot import seconds, write

TEMP = "sys/class/thermal/thermal_zone{}/temp"
BATTERY = "sys/class/power_supply/BAT0/capacity"


def board_of(root: Path, zones: int) -> Path:
    """A board with zones of 50, 51, ... °C, the last one the hottest, and a battery of 80 %."""
    for number in range(zones):
        write(root, {TEMP.format(number): f"{50_000 + 1000 * number}\n"})
        write(root, {f"sys/class/thermal/thermal_zone{number}/type": f"zone{number}\n"})
    supply = "sys/class/power_supply/BAT0"
    write(root, {f"{supply}/type": "Battery\n", f"{supply}/status": "Discharging\n"})
    return write(root, {BATTERY: "80\n"})


def readers() -> int:
    return sum(thread.name == "sensors" for thread in threading.enumerate())


def open_below(root: Path) -> int:
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum(str(path.readlink()).startswith(f"{root}/") for path in links)


def resting(probes: Probes) -> bool:
    """Whether the reader has done all that it was asked to."""
    sensors = probes._slow
    assert sensors is not None
    reader = sensors._reader
    answered = all(map(sensors._answered, sensors._sensors))
    return reader is not None and reader.at is None and answered


class Board:
    """Probes that read apart, on a clock that moves a second from one reading to the next."""

    def __init__(self, root: Path) -> None:
        self.clock = VirtualClock(seconds(100))
        self.asleep_ns = 0
        self.probes = Probes(
            root, self.clock, awake_clock=lambda: self.clock() - self.asleep_ns, apart=True
        )

    def pass_s(self, time_s: float) -> None:
        self.clock.advance_to(self.clock() + seconds(time_s))

    def reading(self, hang: Hang | None = None) -> Reading:
        """Take the reading of the next second; with `hang`, as soon as the reader hangs there."""
        self.pass_s(0.9)
        self.probes.prepare()
        if hang is None:
            wait_for(self.rests)
        else:
            wait_for(hang.begun.is_set)
        self.pass_s(0.1)
        return self.probes.read()

    def rests(self) -> bool:
        return resting(self.probes)

    def settles(self) -> bool:
        """Whether all that was given up is over; time stands still."""
        self.probes.prepare()
        return readers() == 1 and self.rests()
