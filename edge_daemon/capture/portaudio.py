"""PortAudio as this program uses it: find an input, open it at a rate it accepts."""

import atexit
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from edge_daemon.capture.soundcard import (
    SoundCard,
    card_number,
    find_cards,
    is_identity,
    list_cards,
    name_cards,
)
from edge_daemon.capture.source import SourceError
from edge_daemon.worker import Worker

BUFFER_S = 0.1
"""The device's own buffer: how late a busy board may serve it. It adds no delay by itself, since
each block is handed over when it is full."""

# PortAudio's state belongs to the process, and so does this.
_lock = threading.Lock()
_open_streams = 0
_hanging: list[Worker] = []
RELEASE_S = 1.0
MAX_HANGING = 4
"""Streams that may hang while closing before no other is opened."""


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


class OpenStream(NamedTuple):
    """A running stream: sounddevice's object, what was opened, and at which rate."""

    stream: Any
    device: InputDevice
    rate_hz: int


def list_inputs() -> list[InputDevice]:
    """Return the inputs of this board as they are now; raises SourceError."""
    sounddevice = _sounddevice()
    with _lock:
        _look_again(sounddevice)
        return _inputs(sounddevice)


def supported_rates(device: InputDevice, rates_hz: Sequence[int]) -> tuple[int, ...]:
    """Return those of `rates_hz` that the device records at; none while it is in use."""
    sounddevice = _sounddevice()

    def accepts(rate_hz: int) -> bool:
        for channels in _channel_counts(device):
            try:
                sounddevice.check_input_settings(device.index, channels, "float32", None, rate_hz)
            except (sounddevice.PortAudioError, ValueError):
                continue
            return True
        return False

    with _lock:
        return tuple(rate_hz for rate_hz in rates_hz if accepts(rate_hz))


def choose(
    devices: Sequence[InputDevice],
    wanted: str | int | None,
    cards: Sequence[SoundCard] = (),
    root: Path = Path("/"),
) -> InputDevice:
    """Return the device meant.

    Args:
        devices: those there are.
        wanted: its card's USB identity or path (see `find_cards`); a part of its name in any case,
            or its whole name; its index; or None for the default.
        cards: the sound cards there are.
        root: where paths start.

    Raises:
        ValueError: none or several match; the text lists them.
    """
    if wanted is None:
        matches = [device for device in devices if device.is_default] or list(devices[:1])
    elif isinstance(wanted, int):
        matches = [device for device in devices if device.index == wanted]
    elif is_identity(wanted):
        matches = _inputs_of(find_cards(cards, wanted, root), devices, wanted)
    else:
        part = wanted.casefold()
        matches = [device for device in devices if part in device.name.casefold()]
        exact = [device for device in matches if device.name.casefold() == part]
        matches = exact if len(exact) == 1 else matches
    identities = name_cards(cards, root)
    if not matches:
        what = "no microphone" if wanted is None else f"no microphone matches {wanted!r}"
        raise ValueError(f"{what}; there is: {_listed(devices, identities) or 'none'}")
    if len(matches) > 1:
        several = _listed(matches, identities)
        raise ValueError(f"{wanted!r} matches several microphones, name one: {several}")
    return matches[0]


def _inputs_of(
    cards: Sequence[SoundCard], devices: Sequence[InputDevice], wanted: str
) -> list[InputDevice]:
    """Return the first input of each card; raises ValueError where there are cards, but none."""
    first: dict[int, InputDevice] = {}
    for device in devices:
        number = card_number(device.name)
        if number is not None:
            first.setdefault(number, device)
    found = [first[card.number] for card in cards if card.number in first]
    if cards and not found:
        card = cards[0]
        raise ValueError(
            f"{wanted!r} is sound card {card.number} ({card.id}), which offers no input: another "
            "program may be using it (fuser -v /dev/snd/*)"
        )
    return found


def _listed(devices: Sequence[InputDevice], identities: Mapping[int, str]) -> str:
    texts = []
    for device in devices:
        number = card_number(device.name)
        identity = None if number is None else identities.get(number)
        known = "" if identity is None else f" [{identity}]"
        texts.append(f"{device.index}: {device.name}{known}")
    return "; ".join(texts)


def open_stream(
    name: str,
    wanted: str | int | None,
    rates_hz: Callable[[InputDevice], Sequence[int]],
    *,
    block_s: float,
    callback: Callable[..., None],
    finished: Callable[[], None],
    root: Path = Path("/"),
) -> OpenStream:
    """Find a device and start recording float32 from it.

    Args:
        name: for error texts.
        wanted: see `choose`.
        rates_hz: the rates to try on a device, best first.
        block_s: seconds of sound per callback.
        callback: sounddevice's, called on PortAudio's thread.
        finished: called when the stream ends, for whatever reason.
        root: where sysfs and the paths of devices are.

    Raises:
        SourceError: there is no such device, or it refuses every rate.
    """
    global _open_streams
    sounddevice = _sounddevice()
    with _lock:
        _hanging[:] = [closer for closer in _hanging if closer.alive]
        if len(_hanging) >= MAX_HANGING:
            raise SourceError(f"{name}: the sound system hangs; restart it, or this program")
        _look_again(sounddevice)
        try:
            device = choose(_inputs(sounddevice), wanted, list_cards(root), root)
        except ValueError as error:
            raise SourceError(f"{name}: {error}") from None
        refusals: dict[str, None] = {}
        tried = rates_hz(device)
        for rate_hz in tried:
            for channels in _channel_counts(device):
                stream = None
                try:
                    stream = sounddevice.InputStream(
                        samplerate=rate_hz,
                        blocksize=round(rate_hz * block_s),
                        device=device.index,
                        channels=channels,
                        dtype="float32",
                        latency=BUFFER_S,
                        callback=callback,
                        finished_callback=finished,
                    )
                    stream.start()
                except (sounddevice.PortAudioError, ValueError) as error:
                    refusals[str(error.args[0] if error.args else error)] = None
                    if stream is not None:
                        stream.close()
                    continue
                _open_streams += 1
                return OpenStream(stream, device, rate_hz)
    raise SourceError(
        f"{name}: {device.name} cannot be opened at {', '.join(map(str, tried))} Hz "
        f"({'; '.join(refusals)}); is another program using it (fuser -v /dev/snd/*), and is the "
        "user in the group `audio`?"
    )


def release_stream(stream: Any) -> None:
    """Stop and close a stream of `open_stream`.

    PortAudio may hang in this for a minute when the sound server died under it. After RELEASE_S
    it is left alone with that, on a thread of its own.
    """
    closer = Worker("portaudio", lambda _stop: _close(stream))
    closer.start()
    if not closer.stop(RELEASE_S):
        with _lock:
            _hanging.append(closer)


def _close(stream: Any) -> None:
    global _open_streams
    try:
        stream.abort()
        stream.close()
    finally:
        with _lock:
            _open_streams -= 1


def _look_again(sounddevice: ModuleType) -> None:
    # PortAudio lists devices once, when it is initialised: one that was plugged in or moved
    # since is only seen after starting again, which kills every open stream, so not while
    # there is one. sounddevice has no public call for it.
    if _open_streams:
        return
    try:
        if sounddevice._initialized:
            sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise SourceError(f"PortAudio does not start: {error}") from error


def _inputs(sounddevice: ModuleType) -> list[InputDevice]:
    default = None
    with contextlib.suppress(sounddevice.PortAudioError, ValueError):  # there need not be one
        default = sounddevice.query_devices(kind="input")["index"]
    return [
        InputDevice(
            index=info["index"],
            name=info["name"],
            channels=info["max_input_channels"],
            default_rate_hz=round(info["default_samplerate"]),
            is_default=info["index"] == default,
        )
        for info in sounddevice.query_devices()
        if info["max_input_channels"] > 0
    ]


def _channel_counts(device: InputDevice) -> tuple[int, ...]:
    """One channel where the device has it, else two, else all: they are mixed down."""
    return tuple(sorted({1, min(2, device.channels), device.channels}))


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except OSError:
        raise SourceError("PortAudio is not installed: apt install libportaudio2") from None
    module: ModuleType = sounddevice
    # At exit it would stop the last stream and wait for it, which takes for ever when the sound
    # server has died; the kernel frees everything anyway. Unregistering again does nothing.
    atexit.unregister(module._exit_handler)
    return module
