"""Sensors whose drivers may hang, read by a thread that can be left to its fate.

A heat sensor or a fuel gauge is a chip on a bus: its file takes microseconds, seconds, or never
answers. Nothing can end a read that hangs, but somebody else can do the rest of the work. One
thread at a time, the reader, looks at the sensors when it is asked to and publishes what it saw.
It says which file it is about to read; whoever asks sees a file that takes too long, sets it
aside and starts another reader, for which a read of that file fails at once. The thread that was
given up finds that out from its attendant as soon as its read returns, before it touches
anything, hands the file back and ends.

So a file that hangs costs itself and one thread, which sleeps in the kernel. What holds a thread
up outside a file, as the search through a directory might, costs the whole sensor instead.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from edge_daemon.clock import Clock
from edge_daemon.governor.attendant import GivenUpError, thread
from edge_daemon.governor.hold import HOLD_S
from edge_daemon.governor.sensor import Seen, Sensor, Value

log = logging.getLogger(__name__)

HUNG_S = 1.0
"""What takes longer hangs. A slow sensor is one that takes milliseconds."""

REST_S = 10.0
"""How long a file that answered at last is left alone, lest it hang the next reader."""

OVERDUE_S = 3.0
"""A sensor that was asked longer ago and has not said anything since has failed."""

MOST_HUNG = 8
"""With so many threads hanging at once no more are started: something else is wrong then."""

_CLOSE_S = 0.5


@dataclass(slots=True)
class _Aside:
    """A file or a sensor that hangs since `since_ns`, or that rests until `back_ns`."""

    since_ns: int
    back_ns: int | None = None

    def says(self, now_ns: int) -> str:
        if self.back_ns is None:
            return _silent(now_ns - self.since_ns)
        left_s = (self.back_ns - now_ns) / 1e9
        took_s = (self.back_ns - self.since_ns) / 1e9 - REST_S
        return f"took {took_s:.0f} s to answer and is asked again in {left_s:.0f} s"


class _Reader:
    """What one thread reads, and whether it may go on: its attendant.

    Attributes:
        at: the file or the sensor it is at, and since when; None while it waits to be asked.
        given_up: what it hangs at, once another thread has taken over.
    """

    def __init__(self, lock: threading.Lock, asides: dict[Path | str, _Aside], clock: Clock):
        self._lock = lock
        self._asides = asides
        self._clock = clock
        self._sensor = ""
        self.at: tuple[Path | str, int] | None = None
        self.given_up: Path | str | None = None

    def begin(self, path: Path) -> None:
        self._go_to(path)

    def end(self) -> bool:
        now_ns = self._clock()
        with self._lock:
            self.at = self._sensor, now_ns
            return self.given_up is None

    def look(self, sensor: Sensor[Any], clock: Clock) -> None:
        """Look at a sensor and publish what it says; one that is set aside is passed over."""
        self._sensor = sensor.name
        try:
            self._go_to(sensor.name)
        except TimeoutError:
            return
        seen = sensor.look(clock())
        with self._lock:
            self._go_on()
            sensor.seen = seen

    def rest(self) -> None:
        """There is nothing to read until the next time."""
        with self._lock:
            self._go_on()
            self.at = None

    def _go_to(self, what: Path | str) -> None:
        now_ns = self._clock()
        with self._lock:
            self._go_on()
            aside = self._asides.get(what) if self._asides else None
            if aside is not None:
                if aside.back_ns is None or now_ns < aside.back_ns:
                    raise TimeoutError(f"{what} {aside.says(now_ns)}")
                del self._asides[what]
            self.at = what, now_ns

    def _go_on(self) -> None:
        if self.given_up is not None:
            raise GivenUpError


class SlowSensors:
    """Sensors that are read just before they are asked for, by a thread of their own.

    One thread calls `prepare`, `latest` and `woke_up`: they never wait for a sensor. The reader is
    started by the first `prepare`; it is a daemon thread, so that one that hangs does not keep the
    process alive.

    Args:
        sensors: nobody else looks at them from now on.
        clock: CLOCK_BOOTTIME.
        awake_clock: CLOCK_MONOTONIC: a suspend is no hang.
    """

    def __init__(self, sensors: Sequence[Sensor[Any]], clock: Clock, awake_clock: Clock) -> None:
        self._sensors = sensors
        self._clock = clock
        self._awake_clock = awake_clock
        self._lock = threading.Lock()
        self._asides: dict[Path | str, _Aside] = {}
        self._reader: _Reader | None = None
        self._thread: threading.Thread | None = None
        self._asked = threading.Event()
        self._asked_ns: dict[str, int] = {}
        self._woke_ns = 0
        self._ending = False
        self._bug: Exception | None = None

    def prepare(self) -> None:
        """Have all sensors looked at now; returns at once.

        Raises:
            Exception: what a probe has died of, in the reader; a bug.
        """
        if self._bug is not None:
            raise self._bug
        if self._ending:
            return
        now_ns = self._clock()
        for sensor in self._sensors:
            if self._answered(sensor):
                self._asked_ns[sensor.name] = now_ns
        self._replace_if_hung()
        self._asked.set()

    def latest(self, sensor: Sensor[Value], now_ns: int) -> Seen[Value]:
        """Return what a sensor said last; one that has not answered for long has failed."""
        seen = sensor.seen
        asked_ns = max(self._asked_ns.get(sensor.name, now_ns), self._woke_ns)
        if seen is None:
            seen = Seen(asked_ns, None, False, None, asked_ns)
        elif seen.time_ns < self._woke_ns:
            seen = replace(seen, value=None, error=None)
        waited_ns = now_ns - asked_ns
        if waited_ns <= OVERDUE_S * 1e9 or self._answered(sensor):
            return seen
        young = seen.error is None and 0 <= now_ns - seen.time_ns <= HOLD_S * 1e9
        value = seen.value if young else None
        return replace(seen, value=value, error=self._silence(sensor.name, waited_ns))

    def woke_up(self, now_ns: int) -> None:
        """What was seen until now is from before a suspend: it does not count any more."""
        self._woke_ns = now_ns

    def close(self) -> None:
        """End the reader, which closes the files; one that hangs is left behind."""
        self._ending = True
        self._asked.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _answered(self, sensor: Sensor[Any]) -> bool:
        asked_ns = self._asked_ns.get(sensor.name)
        return asked_ns is None or (sensor.seen is not None and sensor.seen.time_ns >= asked_ns)

    def _replace_if_hung(self) -> None:
        now_ns = self._awake_clock()
        with self._lock:
            reader = self._reader
            if reader is not None:
                if reader.at is None or now_ns - reader.at[1] < HUNG_S * 1e9:
                    return
                hanging = sum(aside.back_ns is None for aside in self._asides.values())
                if hanging >= MOST_HUNG:
                    return
                reader.given_up, since_ns = reader.at
                self._asides[reader.given_up] = _Aside(since_ns)
        reader = _Reader(self._lock, self._asides, self._awake_clock)
        body = threading.Thread(target=self._run, args=(reader,), name="sensors", daemon=True)
        try:
            body.start()
        except RuntimeError as error:  # no memory for a thread now: perhaps at the next time
            log.warning("sensors: %s", error)
            self._reader = None
        else:
            self._reader, self._thread = reader, body

    def _run(self, reader: _Reader) -> None:
        thread.attendant = reader
        try:
            while self._asked.wait():
                self._asked.clear()
                if self._ending:
                    for sensor in self._sensors:
                        sensor.close()
                    return
                for sensor in self._sensors:
                    reader.look(sensor, self._clock)
                reader.rest()
        except GivenUpError:
            self._hand_back(reader)
        except Exception as error:
            self._bug = error

    def _hand_back(self, reader: _Reader) -> None:
        with self._lock:
            if reader.given_up is not None:
                aside = self._asides[reader.given_up]
                aside.back_ns = self._awake_clock() + int(REST_S * 1e9)

    def _silence(self, name: str, waited_ns: int) -> str:
        now_ns = self._awake_clock()
        with self._lock:
            at = None if self._reader is None else self._reader.at
            aside = self._asides.get(name)
        if aside is not None:
            return f"{name} {aside.says(now_ns)}"
        if at is not None:
            return f"{at[0]} {_silent(now_ns - at[1])}"
        return f"{name} has not been looked at for {waited_ns / 1e9:.0f} s"


def _silent(time_ns: int) -> str:
    return f"has not answered for {time_ns / 1e9:.0f} s"
