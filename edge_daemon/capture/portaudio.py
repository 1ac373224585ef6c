"""PortAudio as this program uses it: find an input, open it at a rate it accepts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge_daemon.capture.libportaudio import Heard, InputDevice, PortAudioError
from edge_daemon.capture.libraries import LIBRARIES, AnyLibrary, AnyStream, Libraries
from edge_daemon.capture.soundcard import (
    SoundCard,
    card_number,
    find_cards,
    is_identity,
    list_cards,
    name_cards,
)
from edge_daemon.capture.source import SourceError

BUFFER_S = 0.1
"""The device's own buffer: how late a busy board may serve it. It adds no delay by itself, since
each block is handed over when it is full."""


class OpenStream(NamedTuple):
    """A running stream: what to close it with, what was opened, and at which rate."""

    stream: AnyStream
    close: Callable[[], None]
    device: InputDevice
    rate_hz: int


def list_inputs(
    rates_hz: Sequence[int], libraries: Libraries = LIBRARIES
) -> list[tuple[InputDevice, tuple[int, ...]]]:
    """Return the inputs of this board as they are now; raises SourceError.

    Args:
        rates_hz: the rates to ask each about, which opens it for a moment.
        libraries: where PortAudio is.

    Returns:
        Each with those of the rates that it records at; none while it is in use.
    """
    library = libraries.take()
    try:
        return [
            (device, tuple(rate_hz for rate_hz in rates_hz if _accepts(library, device, rate_hz)))
            for device in _look_again(library)
        ]
    finally:
        libraries.give_back(library)


def _accepts(library: AnyLibrary, device: InputDevice, rate_hz: int) -> bool:
    return any(library.accepts(device, count, rate_hz) for count in _channel_counts(device))


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
        if not devices:
            raise ValueError(
                "no microphone found: plug one in (`arecord -l` lists those that the kernel "
                "knows), or set audio.source: none"
            )
        raise ValueError(
            f"no microphone matches {wanted!r}; there is: {_listed(devices, identities)}; "
            "`edge-daemon devices` shows what to put into audio.device"
        )
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
    heard: Heard,
    finished: Callable[[], None],
    root: Path = Path("/"),
    libraries: Libraries = LIBRARIES,
) -> OpenStream:
    """Find a device and start recording float32 from it.

    Args:
        name: for error texts.
        wanted: see `choose`.
        rates_hz: the rates to try on a device, best first.
        block_s: seconds of sound per block.
        heard: takes each block, on PortAudio's thread.
        finished: called when the stream ends, for whatever reason.
        root: where sysfs and the paths of devices are.
        libraries: where PortAudio is.

    Raises:
        SourceError: there is no such device, or it refuses every rate.
    """
    try:
        library = libraries.take()
    except SourceError as error:
        raise SourceError(f"{name}: {error}") from None
    try:
        device = _find(library, name, wanted, root)
        rates = rates_hz(device)
        open_at = partial(
            library.open, device, block_s=block_s, buffer_s=BUFFER_S, heard=heard, finished=finished
        )
        stream, rate_hz = _open_first(open_at, f"{name}: {device.name}", device, rates)
    except BaseException:
        libraries.give_back(library)
        raise
    return OpenStream(stream, partial(libraries.release, library, stream), device, rate_hz)


def _open_first(
    open_at: Callable[[int, int], AnyStream],
    name: str,
    device: InputDevice,
    rates_hz: Sequence[int],
) -> tuple[AnyStream, int]:
    refusals: dict[str, None] = {}
    for rate_hz in rates_hz:
        for channels in _channel_counts(device):
            try:
                return open_at(channels, rate_hz), rate_hz
            except PortAudioError as error:
                refusals[str(error)] = None
    raise SourceError(
        f"{name} cannot be opened at {', '.join(map(str, rates_hz))} Hz "
        f"({'; '.join(refusals)}); is another program using it (fuser -v /dev/snd/*), and is the "
        "user in the group `audio`?"
    )


def _find(library: AnyLibrary, name: str, wanted: str | int | None, root: Path) -> InputDevice:
    cards = list_cards(root)
    devices = _look_again(library)
    if list_cards(root) != cards:
        # Otherwise another card might be taken for the one that had its number a moment ago.
        raise SourceError(f"{name}: sound cards were plugged in or pulled while it was looked for")
    try:
        return choose(devices, wanted, cards, root)
    except ValueError as error:
        raise SourceError(f"{name}: {error}") from None


def _look_again(library: AnyLibrary) -> list[InputDevice]:
    try:
        return library.look_again()
    except PortAudioError as error:
        raise SourceError(f"PortAudio does not start: {error}") from error


def _channel_counts(device: InputDevice) -> tuple[int, ...]:
    """One channel where the device has it, else two, else all: they are mixed down."""
    return tuple(sorted({1, min(2, device.channels), device.channels}))
