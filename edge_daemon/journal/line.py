"""One line of the journal: how an event becomes bytes, and bytes become an event again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.journal import events
from edge_daemon.journal.events import SCHEMA, Event

MAX_LINE_BYTES = 16 * 1024
"""No line is longer: of an event that would be, every long text is shortened."""

_LONG_TEXT = 512
_encode: Callable[[object], bytes] = msgspec.json.Encoder().encode

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Envelope(Struct, frozen=True):
    """What every line carries beside its event.

    Attributes:
        schema: version of the format; raised when a field changes its meaning or goes away.
        ts: wall-clock time of the event in UTC, RFC 3339 with milliseconds. It may jump: a board
            without a real-time clock starts in the past until the network sets it.
        mono_ns: monotonic time of the event in nanoseconds, comparable within one `boot_id`.
        boot_id: the kernel's id of this boot; `mono_ns` starts anew with it.
        seq: number of the line; it counts every line without a gap, across runs.
        event: what happened; the other fields depend on it.
    """

    schema: int
    ts: str
    mono_ns: int
    boot_id: str
    seq: Annotated[int, Meta(ge=0, lt=2**53)]
    event: str


class Stamp:
    """Encodes events of one boot into lines that only lack their number.

    Args:
        boot_id: the kernel's id of this boot.
        clock: gives `mono_ns`.
        wall_clock: gives `ts`, in nanoseconds since the epoch.
    """

    def __init__(
        self,
        boot_id: str,
        clock: Clock = monotonic_ns,
        wall_clock: Clock = time.time_ns,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._boot_id = _encode(boot_id)
        self._second = (-1, b"")

    def __call__(self, event: Event) -> tuple[int, bytes, bytes]:
        """Return `(mono_ns, head, body)`: the line is `head`, the digits of `seq`, `body`.

        Raises:
            TypeError, ValueError, OverflowError: the event holds what JSON cannot say.
        """
        mono_ns = self._clock()
        second, ns = divmod(self._wall_clock(), 1_000_000_000)
        known = self._second
        if known[0] != second:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            known = self._second = (second, text.encode())
        head = b'{"schema":%d,"ts":"%b.%03dZ","mono_ns":%d,"boot_id":%b,"seq":' % (
            SCHEMA,
            known[1],
            ns // 1_000_000,
            mono_ns,
            self._boot_id,
        )
        try:
            body = _encode(event)
        except UnicodeEncodeError:  # a file name that is not UTF-8, inside an error message
            body = _encode(_plain(event))
        if len(body) > MAX_LINE_BYTES - 256:
            body = _encode(_plain(event, _LONG_TEXT))
            if len(body) > MAX_LINE_BYTES - 256:
                raise ValueError(f"event {type(event).__name__} has {len(body)} bytes of JSON")
        return mono_ns, head, b"," + body[1:] + b"\n"


def _plain(value: object, limit: int | None = None) -> object:
    """Make builtins of `value`; its texts become valid Unicode and no longer than `limit`."""
    if isinstance(value, Struct):
        return _plain(msgspec.to_builtins(value), limit)
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()
        if limit is not None and len(text) > limit:
            return f"{text[:limit]}… ({len(text)} characters)"
        return text
    if isinstance(value, dict):
        return {_plain(key, limit): _plain(each, limit) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, limit) for each in value]
    return value


EVENTS: tuple[type[Event], ...] = tuple(
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
)
"""Every kind of event, in the order in which docs/journal.md explains them."""

_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_event = msgspec.json.Decoder(reduce(or_, EVENTS)).decode


def envelope(line: bytes) -> Envelope | None:
    """Return the envelope of a whole line, with or without its newline; None of anything else."""
    try:
        return _decode_envelope(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def decode(line: bytes) -> Event:
    """Return the event of a line; fields that this version does not know are left out.

    Raises:
        msgspec.ValidationError: an event or a type that this version does not know.
        msgspec.DecodeError: not JSON.
    """
    event = _decode_event(line)
    assert isinstance(event, Event)
    return event


def read_boot_id(path: Path = BOOT_ID) -> str:
    """Return the kernel's id of this boot; `unknown` where nothing tells."""
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"
