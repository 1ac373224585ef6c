"""A battery that the kernel does not know, such as a UPS board on I²C: a file or a command tells.

Either says the charge as a plain percentage (`73`, `73 %`) or as one JSON object, of which only
`percent` is needed:

    {"percent": 73, "charging": false, "power_w": 3.2, "energy_wh": 21.5, "runtime_s": 24000}

`charging` says whether the battery is being charged, so that the mains must be there; a full one
that is not charged any more says `"on_mains": true`.
"""

import re
import stat
import threading
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from edge_daemon.clock import Clock, boottime_ns
from edge_daemon.governor.battery import PERIOD_S, Charge
from edge_daemon.governor.command import MOST_BYTES, Command, CommandError
from edge_daemon.governor.kernelfile import KernelFile
from edge_daemon.governor.runtime import MeanPower, runtime_s

_SLICE_S = 1.0
_PLAIN = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%?", re.ASCII)

Amount = Annotated[float, Meta(ge=0.0, le=1e9)]


class GaugeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A battery that no driver of the kernel shows; `file` or `command` says its charge.

    With neither there is none, and the batteries count that the kernel knows.

    Attributes:
        file: a file that another program writes anew, again and again, with the charge.
        command: a program and its arguments, which prints the charge and ends; there is no shell.
        every_s: time from the end of one run of the command to the next.
        timeout_s: a run that lasts longer is killed, with all that it started.
        max_age_s: how long a charge counts after it was written or printed.
    """

    file: Path | None = None
    command: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    every_s: Annotated[float, Meta(ge=1.0, le=3600.0)] = 10.0
    timeout_s: Annotated[float, Meta(ge=0.1, le=60.0)] = 5.0
    max_age_s: Annotated[float, Meta(ge=5.0, le=86_400.0)] = 60.0


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """What a file or a command says.

    Attributes:
        percent: charge left.
        charging: whether the battery is being charged.
        on_mains: whether the mains feed the board; tells more than `charging`.
        power_w: what the battery gives; a negative sign does not matter.
        energy_wh: energy left.
        runtime_s: how long it lasts; taken from energy and power where it is not said.
    """

    percent: Annotated[float, Meta(ge=0.0, le=100.0)]
    charging: bool | None = None
    on_mains: bool | None = None
    power_w: Annotated[float, Meta(ge=-1e4, le=1e4)] | None = None
    energy_wh: Amount | None = None
    runtime_s: Amount | None = None


class FileGauge:
    """The charge from a file; whether it is still written shows in its changes, not on the clock.

    Args:
        path: the file; a link is followed, to wherever it leads by then.
        max_age_s: how long a charge counts after it was written.
    """

    def __init__(self, path: Path, max_age_s: float) -> None:
        self._path = path
        self._max_age_s = max_age_s
        self._mean = MeanPower(PERIOD_S)
        self._mark: tuple[int, int, int] | None = None
        self._changed_ns = 0
        self._charge: Charge | None = None

    @property
    def present(self) -> bool:
        """Always: the configuration says that there is a battery."""
        return True

    def scan(self) -> None:
        """Do nothing: the file is opened at every read."""

    def read(self, now_ns: int) -> Charge:
        """Return the charge.

        Raises:
            OSError: the file cannot be read.
            ValueError: it says no charge, or has not been written for too long.
        """
        data, mark = _content(self._path)
        if mark != self._mark:
            self._mark, self._changed_ns, self._charge = mark, now_ns, None
        age_s = (now_ns - self._changed_ns) / 1e9
        if age_s > self._max_age_s:
            raise ValueError(
                f"{self._path} has not been written for {age_s:.0f} s: see whether the program "
                "that writes it still runs"
            )
        if self._charge is None:
            self._charge = _charge(told(data, str(self._path)), self._mean, now_ns)
        return self._charge

    def close(self) -> None:
        """Do nothing: no file is kept open."""


class CommandGauge:
    """The charge that a command prints. A worker of its own runs it: no poll waits for it.

    A run that fails is made up for by the next; meanwhile the last charge counts, until it is too
    old.

    Args:
        command: what to run.
        every_s: time from the end of one run to the next.
        max_age_s: how long a charge counts after it was printed.
        clock: the one that readings are timed by.
    """

    def __init__(
        self, command: Command, every_s: float, max_age_s: float, clock: Clock = boottime_ns
    ) -> None:
        self._command = command
        self._every_s = every_s
        self._max_age_s = max_age_s
        self._clock = clock
        self._mean = MeanPower(every_s)
        self._last: tuple[Charge, int] | None = None
        self._problem: str | None = None

    @property
    def present(self) -> bool:
        """Always: the configuration says that there is a battery."""
        return True

    def scan(self) -> None:
        """Do nothing: the command is looked for at every run."""

    def read(self, now_ns: int) -> Charge | None:
        """Return the last charge; None before the first run has ended.

        Raises:
            ValueError: the last charge is too old, or none came; the text says why.
        """
        last, problem = self._last, self._problem
        if last is not None:
            charge, told_ns = last
            if (now_ns - told_ns) / 1e9 <= self._max_age_s:
                return charge
            problem = problem or f"{self._command.name} has not said anything since"
        if problem is not None:
            raise ValueError(problem)
        return None

    def run(self, stop: threading.Event) -> None:
        """Run the command again and again until told to stop: the worker's body."""
        while not stop.is_set():
            self.refresh(stop)
            due_ns = self._clock() + round(self._every_s * 1e9)
            # In slices: while the board sleeps a wait stands still, and the charge goes on ageing.
            while (left_s := (due_ns - self._clock()) / 1e9) > 0:
                if stop.wait(min(left_s, _SLICE_S)):
                    break

    def refresh(self, stop: threading.Event | None = None) -> None:
        """Run the command once and remember what it says, or how it failed."""
        try:
            text = self._command.output(stop)
            now_ns = self._clock()
            charge = _charge(told(text.encode(), self._command.name), self._mean, now_ns)
        except (CommandError, ValueError, OSError) as error:
            self._problem = self._command.shown(str(error))
        else:
            self._last, self._problem = (charge, now_ns), None

    def close(self) -> None:
        """Do nothing: stopping the worker ends the command."""


def gauge(config: GaugeConfig, clock: Clock = boottime_ns) -> FileGauge | CommandGauge | None:
    """Return the gauge of a configuration, None where it names none.

    Args:
        config: the gauge's.
        clock: the one that readings are timed by.
    """
    if config.file is not None:
        return FileGauge(config.file, config.max_age_s)
    if not config.command:
        return None
    command = Command(config.command, config.timeout_s)
    return CommandGauge(command, config.every_s, config.max_age_s, clock)


def gauge_problems(config: GaugeConfig) -> list[tuple[str, str]]:
    """Return what is wrong between values that are right by themselves: keys, with the remedy."""
    if config.file is not None and config.command:
        return [("file", "is given beside `command`; leave one of them out")]
    least_s = config.every_s + config.timeout_s
    if config.command and config.max_age_s < least_s:
        return [("max_age_s", f"must be at least every_s + timeout_s ({least_s:g})")]
    return []


def told(data: bytes, source: str) -> Told:
    """Return what a text says of a battery.

    Args:
        data: a percentage or a JSON object.
        source: what to name in an error.

    Raises:
        ValueError: it is neither.
    """
    text = data.decode("utf-8", "replace").strip("\0 \t\r\n")
    if plain := _PLAIN.fullmatch(text):
        text = f'{{"percent": {float(plain[1])}}}'
    try:
        return msgspec.json.decode(text, type=Told)
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{source} says {text[:48]!r}, neither a percentage nor a JSON object with one: {error}"
        ) from None


def _charge(said: Told, mean: MeanPower, now_ns: int) -> Charge:
    on_mains = said.charging if said.on_mains is None else said.on_mains
    if on_mains is True:
        mean.forget()
        return Charge(said.percent / 100, True, said.energy_wh)
    power_w = abs(said.power_w) if said.power_w else None
    left_s = said.runtime_s
    if power_w is not None:
        mean_w = mean.add(power_w, now_ns)
        left_s = runtime_s(said.energy_wh, mean_w) if left_s is None else left_s
    return Charge(said.percent / 100, on_mains, said.energy_wh, power_w, left_s)


def _content(path: Path) -> tuple[bytes, tuple[int, int, int]]:
    """Return a file's first bytes, and a mark that changes whenever it is written or replaced."""
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise ValueError(f"{path} is no regular file")
    file = KernelFile(path, MOST_BYTES)
    try:
        return file.read(), (state.st_ino, state.st_mtime_ns, state.st_size)
    finally:
        file.close()
