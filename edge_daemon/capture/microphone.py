"""A microphone through PortAudio."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.libportaudio import InputDevice
from edge_daemon.capture.libraries import LIBRARIES, Libraries
from edge_daemon.capture.portaudio import OpenStream, list_inputs, open_stream
from edge_daemon.capture.resample import StreamResampler, mix_down
from edge_daemon.capture.soundcard import card_number, list_cards, name_cards
from edge_daemon.capture.source import Chunk, SourceError
from edge_daemon.clock import Clock, monotonic_ns

NS_PER_S = 1_000_000_000
BLOCK_S = 0.02
FALLBACK_RATES_HZ = (48_000, 44_100, 32_000, 16_000)
MAX_LATENCY_S = 1.0
"""PortAudio's capture time is not believed when it lies further back."""


class PortAudioMicrophone:
    """A microphone, at the rate the model wants; it is looked for anew at each opening.

    The device is opened at a rate it supports and resampled here, on the reader's thread;
    PortAudio's thread only copies into a bounded queue. A stream that stops calling back, as a
    pulled USB microphone's does without any error, is found out by a deadline.

    Args:
        device: the USB identity or the path of its card (see `soundcard`), which stay when devices
            come and go; part of its name in any case, or its whole name; an index, which may move;
            None or empty for the system's default.
        rate_hz: samples per second wanted.
        clock: monotonic nanoseconds.
        deadline_s: longest silence of PortAudio before the stream counts as lost.
        first_s: the same for the first block, which sound servers take their time for.
        queue_s: how far the reader may fall behind before the oldest sound is dropped.
        try_rates_hz: rates to open the device at, best first; empty for `rate_hz`, the device's
            own and the usual ones.
        root: where sysfs and the paths of devices are.
        libraries: where PortAudio is.
    """

    # A muted microphone delivers equal chunks, all zero; the deadline finds out a dead one.
    may_repeat = True

    def __init__(
        self,
        device: str | int | None,
        rate_hz: int,
        *,
        clock: Clock = monotonic_ns,
        deadline_s: float = 1.0,
        first_s: float = 4.0,
        queue_s: float = 1.0,
        try_rates_hz: Sequence[int] = (),
        root: Path = Path("/"),
        libraries: Libraries = LIBRARIES,
    ) -> None:
        self._device = None if device == "" else device
        self.name = "microphone" if self._device is None else f"microphone {device}"
        self.opened: OpenStream | None = None
        self._rate_hz = rate_hz
        self._clock = clock
        self._deadline_s = deadline_s
        self._first_s = first_s
        self._patience_s = first_s
        self._queue_blocks = max(1, round(queue_s / BLOCK_S))
        self._try_rates_hz = try_rates_hz
        self._root = root
        self._libraries = libraries
        self._resampler = StreamResampler(rate_hz, rate_hz)
        self._arrived = threading.Condition()  # guards what follows
        self._blocks: deque[_Block] = deque()
        self._overflows = 0
        self._finished = False
        self._opening = 0  # counts; a stream that hangs while closing may still call back

    def open(self) -> None:
        """Find the device anew and start it; raises SourceError with a remedy."""
        self.close()
        with self._arrived:
            self._opening += 1
            self._blocks.clear()
            self._overflows = 0
            self._finished = False
        self.opened = open_stream(
            self.name,
            self._device,
            self._rates,
            block_s=BLOCK_S,
            heard=partial(self._record, self._opening),
            finished=partial(self._finish, self._opening),
            root=self._root,
            libraries=self._libraries,
        )
        self._resampler = StreamResampler(self.opened.rate_hz, self._rate_hz)
        self._patience_s = self._first_s

    def read(self) -> Chunk:
        """Return the next sound; raises SourceError when none comes in time."""
        overflows = 0
        while True:
            block, missed = self._next_block()
            overflows += missed
            samples = self._resampler(mix_down(block.samples))
            if len(samples):
                captured_ns = block.captured_ns(self._resampler.from_hz)
                return Chunk(samples, captured_ns - self._resampler.behind_ns, overflows)

    def close(self) -> None:
        """Stop and release the device."""
        opened, self.opened = self.opened, None
        if opened is not None:
            opened.close()

    def _next_block(self) -> "tuple[_Block, int]":
        opened = self.opened
        if opened is None:
            raise SourceError(f"{self.name} is not open")
        with self._arrived:
            self._arrived.wait_for(lambda: self._blocks or self._finished, self._patience_s)
            if not self._blocks:
                if self._finished or not opened.stream.active:
                    raise SourceError(f"{self.name} ended: unplugged, or the sound server died")
                raise SourceError(
                    f"{self.name} gave no sound ({self._patience_s:.1f} s): unplugged, or the "
                    "sound server hangs or died"
                )
            block = self._blocks.popleft()
            overflows, self._overflows = self._overflows, 0
        self._patience_s = self._deadline_s
        return block, overflows

    def _rates(self, device: InputDevice) -> Sequence[int]:
        if self._try_rates_hz:
            return self._try_rates_hz
        wanted = (self._rate_hz, device.default_rate_hz, *FALLBACK_RATES_HZ)
        return tuple(dict.fromkeys(wanted))

    def _record(
        self, opening: int, samples: NDArray[np.float32], latency_s: float, overflow: bool
    ) -> None:
        # On PortAudio's own thread: note, go.
        block = _Block(samples, self._clock(), latency_s)
        with self._arrived:
            if opening != self._opening:
                return
            if overflow:
                self._overflows += 1
            if len(self._blocks) >= self._queue_blocks:
                self._blocks.popleft()
                self._overflows += 1
            self._blocks.append(block)
            self._arrived.notify()

    def _finish(self, opening: int) -> None:
        with self._arrived:
            self._finished = self._finished or opening == self._opening
            self._arrived.notify()


class _Block(NamedTuple):
    """What one callback brought.

    Attributes:
        samples: float32 [n, channels].
        arrived_ns: monotonic time of the callback.
        latency_s: how long before it the first sample was captured, as PortAudio has it.
    """

    samples: NDArray[np.float32]
    arrived_ns: int
    latency_s: float

    def captured_ns(self, rate_hz: int) -> int:
        """Return the capture time of the last sample: the callback's where PortAudio errs."""
        length_s = len(self.samples) / rate_hz
        plausible = length_s <= self.latency_s <= MAX_LATENCY_S
        return self.arrived_ns - (round((self.latency_s - length_s) * NS_PER_S) if plausible else 0)


@dataclass(frozen=True, slots=True)
class MicrophoneInfo:
    """A microphone, for people.

    Attributes:
        index: PortAudio's number.
        name: what `device` is matched with.
        channels: the most it has.
        default_rate_hz: what it is usually run at.
        rates_hz: those of the rates asked about that it supports.
        is_default: whether it is used when none is named.
        identity: what means it whatever its number is, to put into `device`; None for what is no
            hardware, such as a sound server.
    """

    index: int
    name: str
    channels: int
    default_rate_hz: int
    rates_hz: tuple[int, ...]
    is_default: bool
    identity: str | None = None


def list_microphones(
    rates_hz: Sequence[int] = FALLBACK_RATES_HZ,
    root: Path = Path("/"),
    libraries: Libraries = LIBRARIES,
) -> list[MicrophoneInfo]:
    """Return the microphones there are; raises SourceError where PortAudio is missing.

    Args:
        rates_hz: the rates to ask each about, which opens it for a moment.
        root: where sysfs and the paths of devices are.
        libraries: where PortAudio is.
    """
    devices = list_inputs(rates_hz, libraries)
    identities = name_cards(list_cards(root), root)
    microphones = []
    for device, supported_hz in devices:
        card = card_number(device.name)
        microphones.append(
            MicrophoneInfo(
                index=device.index,
                name=device.name,
                channels=device.channels,
                default_rate_hz=device.default_rate_hz,
                rates_hz=supported_hz,
                is_default=device.is_default,
                identity=None if card is None else identities.get(card),
            )
        )
    return microphones
