"""PortAudio itself, through ctypes: one library, whose state is its own.

PortAudio keeps the list of devices and its streams in one state a process, and begins anew only as
a whole, which pulls it from under every open stream. A stream that hangs while it is closed would
therefore keep a stale list for good. A further copy of the library has a state of its own; that is
why this is no package for PortAudio, none of which can load another.
"""

import atexit
import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.source import SourceError

_FLOAT32 = 1
_FLOAT32_BYTES = 4
_INPUT_OVERFLOW = 2
_CONTINUE, _ABORT = 0, 2
_END_S = 0.1

_SONAME = "libportaudio.so.2"

Heard = Callable[[NDArray[np.float32], float, bool], None]
"""What takes a block: float32 [n, channels], its own; the seconds by which its first sample was
captured earlier; whether the device dropped samples before it. Runs on PortAudio's thread."""


class PortAudioError(Exception):
    """What PortAudio answers to a call that fails."""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that records.

    Attributes:
        index: PortAudio's number, which may change whenever devices come and go.
        name: as PortAudio gives it; for ALSA with the card's number at its end.
        channels: the most it has.
        default_rate_hz: what it is usually run at.
        is_default: whether it is the system's default input.
    """

    index: int
    name: str
    channels: int
    default_rate_hz: int
    is_default: bool


class _DeviceInfo(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("host_api", ctypes.c_int),
        ("input_channels", ctypes.c_int),
        ("output_channels", ctypes.c_int),
        ("latencies_s", ctypes.c_double * 4),
        ("rate_hz", ctypes.c_double),
    )


class _Parameters(ctypes.Structure):
    _fields_ = (
        ("device", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("sample_format", ctypes.c_ulong),
        ("latency_s", ctypes.c_double),
        ("host_api_specific", ctypes.c_void_p),
    )


class _HostError(ctypes.Structure):
    _fields_ = (
        ("host_api", ctypes.c_int),
        ("code", ctypes.c_long),
        ("text", ctypes.c_char_p),
    )


class _Times(ctypes.Structure):
    _fields_ = (
        ("captured_s", ctypes.c_double),
        ("now_s", ctypes.c_double),
        ("played_s", ctypes.c_double),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.POINTER(_Times),
    ctypes.c_ulong,
    ctypes.c_void_p,
)
_Finished = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Library:
    """A PortAudio; used by one thread at a time.

    Args:
        copy: whether to load another copy beside what the process has loaded already.

    Raises:
        SourceError: it is not installed, or cannot be loaded again.
    """

    def __init__(self, *, copy: bool = False) -> None:
        self._lib = _load(copy=copy)
        self._started = False

    def look_again(self) -> list[InputDevice]:
        """Return the inputs there are now; ends every stream of this library."""
        if not self._started and _started.is_set():
            # ALSA keeps its configuration for the whole process, and reads it anew after an end.
            self._start()
        if self._started:
            self._started = False
            self._check(self._lib.Pa_Terminate())
        self._start()
        default = self._lib.Pa_GetDefaultInputDevice()
        found = []
        for index in range(self._check(self._lib.Pa_GetDeviceCount())):
            info = self._lib.Pa_GetDeviceInfo(index).contents
            if info.input_channels > 0:
                name = info.name.decode(errors="replace")
                rate_hz = round(info.rate_hz)
                channels = info.input_channels
                found.append(InputDevice(index, name, channels, rate_hz, index == default))
        return found

    def accepts(self, device: InputDevice, channels: int, rate_hz: int) -> bool:
        """Return whether a device could be opened so; opens it for a moment."""
        parameters = _Parameters(device.index, channels, _FLOAT32, 0.0, None)
        return not self._lib.Pa_IsFormatSupported(ctypes.byref(parameters), None, rate_hz)

    def open(
        self,
        device: InputDevice,
        channels: int,
        rate_hz: int,
        *,
        block_s: float,
        buffer_s: float,
        heard: Heard,
        finished: Callable[[], None],
    ) -> "Stream":
        """Start to record; raises PortAudioError, and then nothing stays open.

        Args:
            device: of the last `look_again`.
            channels: how many.
            rate_hz: samples per second.
            block_s: seconds of sound in each block.
            buffer_s: the device's own buffer.
            heard: takes each block.
            finished: called when the stream ends, for whatever reason.
        """
        stream = Stream(self._lib, channels, heard, finished)
        parameters = _Parameters(device.index, channels, _FLOAT32, buffer_s, None)
        opened = self._lib.Pa_OpenStream(
            ctypes.byref(stream.pointer), ctypes.byref(parameters), None,
            rate_hz, round(rate_hz * block_s), 0, stream.callback, None,
        )  # fmt: skip
        self._check(opened)
        try:
            self._check(self._lib.Pa_SetStreamFinishedCallback(stream.pointer, stream.finished))
            self._check(self._lib.Pa_StartStream(stream.pointer))
        except PortAudioError:
            self._lib.Pa_CloseStream(stream.pointer)
            raise
        _open.add(stream)
        return stream

    def _start(self) -> None:
        self._check(self._lib.Pa_Initialize())
        self._started = True
        _started.set()

    def _check(self, code: int) -> int:
        if code >= 0:
            return code
        text = self._lib.Pa_GetErrorText(code).decode(errors="replace")
        host = self._lib.Pa_GetLastHostErrorInfo()
        if text.startswith("Unanticipated host error") and host and host.contents.text:
            text = f"{text}: {host.contents.text.decode(errors='replace')}"
        raise PortAudioError(text)


class Stream:
    """A stream of `Library.open`, to be kept until `close` has returned.

    Args:
        lib: the library.
        channels: how many it records.
        heard: takes each block.
        finished: takes its end.
    """

    def __init__(self, lib: Any, channels: int, heard: Heard, finished: Callable[[], None]) -> None:
        def call(samples: int, _out: Any, count: int, times: Any, flags: int, _user: Any) -> int:
            copied = ctypes.string_at(samples, count * channels * _FLOAT32_BYTES)
            block = np.frombuffer(copied, np.float32).reshape(count, channels)
            late_s = times.contents.now_s - times.contents.captured_s
            heard(block, late_s, bool(flags & _INPUT_OVERFLOW))
            return _ABORT if self._ending else _CONTINUE

        def end(_user: int) -> None:
            self._ended.set()
            finished()

        self._lib = lib
        self._ending = False
        self._ended = threading.Event()
        self.pointer = ctypes.c_void_p()
        self.callback = _Callback(call)
        self.finished = _Finished(end)

    @property
    def active(self) -> bool:
        """Whether PortAudio holds that it records."""
        return bool(self._lib.Pa_IsStreamActive(self.pointer) == 1)

    def close(self) -> None:
        """Stop and release it; may hang for ever when the sound server hangs or died."""
        self.end()
        self._lib.Pa_AbortStream(self.pointer)
        self._lib.Pa_CloseStream(self.pointer)
        _open.discard(self)

    def end(self) -> None:
        """Let its thread end by itself, if it does so at once.

        PortAudio would cancel it, wherever in Python it is.
        """
        self._ending = True
        self._ended.wait(_END_S)


_open: set[Stream] = set()
_started = threading.Event()  # a library of this process was, at some time


@atexit.register
def _end_all() -> None:
    # A callback into an interpreter that is being taken down ends the process with SIGSEGV.
    for stream in tuple(_open):
        stream.end()


def _load(*, copy: bool) -> Any:
    try:
        lib = _copied() if copy else ctypes.CDLL(_SONAME)
    except OSError as error:
        if copy:
            raise SourceError(f"PortAudio cannot be loaded once more: {error}") from None
        raise SourceError("PortAudio is not installed: apt install libportaudio2") from None
    lib.Pa_GetErrorText.restype = ctypes.c_char_p
    lib.Pa_GetLastHostErrorInfo.restype = ctypes.POINTER(_HostError)
    lib.Pa_GetDeviceInfo.restype = ctypes.POINTER(_DeviceInfo)
    lib.Pa_IsFormatSupported.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double)
    lib.Pa_OpenStream.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double,
        ctypes.c_ulong, ctypes.c_ulong, _Callback, ctypes.c_void_p,
    )  # fmt: skip
    lib.Pa_SetStreamFinishedCallback.argtypes = (ctypes.c_void_p, _Finished)
    for call in ("StartStream", "AbortStream", "CloseStream", "IsStreamActive"):
        getattr(lib, f"Pa_{call}").argtypes = (ctypes.c_void_p,)
    _quieten()
    return lib


def _copied() -> ctypes.CDLL:
    """Load a copy, which the loader takes for another library than the original."""
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        path = line.partition("/")[2].removesuffix(" (deleted)")  # replaced by an upgrade
        if _SONAME.removesuffix(".2") in path:
            # In memory: a directory may be read-only or closed to programs. The descriptor stays,
            # since the loader would take an equal name for the library that had it before.
            copy = os.memfd_create("libportaudio")
            try:
                with open(copy, "wb", closefd=False) as file:
                    file.write(Path(f"/{path}").read_bytes())
                return ctypes.CDLL(f"/proc/self/fd/{copy}")
            except BaseException:
                os.close(copy)
                raise
    raise OSError("what is loaded cannot be found in /proc/self/maps")


_ignore = ctypes.CFUNCTYPE(None)(lambda: None)


def _quieten() -> None:
    # While it lists devices, ALSA and JACK print a hundred lines about those that are not there;
    # what matters is in PortAudio's answers. They take more arguments than _ignore looks at.
    for name, setters in (
        ("libasound.so.2", ["snd_lib_error_set_handler"]),
        ("libjack.so.0", ["jack_set_error_function", "jack_set_info_function"]),
    ):
        with contextlib.suppress(OSError, AttributeError):
            lib = ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            for setter in setters:
                getattr(lib, setter)(_ignore)
