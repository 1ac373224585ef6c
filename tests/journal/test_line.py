import json
from pathlib import Path

import msgspec
import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.journal.events import Event, Fault, ReadingEvent, Reload, TierChange
from edge_daemon.journal.line import MAX_LINE_BYTES, Stamp, decode, envelope, read_boot_id
from tests.journal import samples

WALL_NS = 1_773_964_795_007_999_999


def whole(event: Event, seq: int = 5) -> bytes:
    stamp = Stamp("boot", VirtualClock(42), lambda: WALL_NS)
    mono_ns, head, body = stamp(event)
    assert mono_ns == 42
    return b"%b%d%b" % (head, seq, body)


@pytest.mark.parametrize("event", samples.EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    line = whole(event)
    assert decode(line) == event
    fields = json.loads(line)
    assert list(fields)[:6] == ["schema", "ts", "mono_ns", "boot_id", "seq", "event"]
    assert fields["ts"] == "2026-03-19T23:59:55.007Z"
    assert (fields["schema"], fields["mono_ns"], fields["boot_id"], fields["seq"]) == (
        1,
        42,
        "boot",
        5,
    )


def test_a_line_from_before_a_field_existed_is_read_without_it() -> None:
    for event in samples.EVENTS:
        if isinstance(event, ReadingEvent | TierChange):
            fields = json.loads(whole(event))
            assert fields.pop("headroom") == msgspec.to_builtins(samples.HEADROOM)
            old = decode(json.dumps(fields).encode())
            assert old == msgspec.structs.replace(event, headroom=None)


def test_a_line_is_one_line_whatever_the_text() -> None:
    line = whole(Fault("x", 'a\nb\r"\\\u2028\x00'))
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert decode(line) == Fault("x", 'a\nb\r"\\\u2028\x00')


def test_a_file_name_that_is_not_utf8_is_written_with_a_replacement() -> None:
    assert decode(whole(Fault("video", b"/clip-\xff.mp4".decode("utf-8", "surrogateescape")))) == (
        Fault("video", "/clip-?.mp4")
    )


def test_a_long_text_is_shortened_and_says_so() -> None:
    line = whole(Fault("x", "é" * 100_000))
    assert len(line) <= MAX_LINE_BYTES
    event = decode(line)
    assert isinstance(event, Fault)
    assert event.message.endswith("… (100000 characters)")


def test_an_event_that_cannot_be_shortened_is_refused() -> None:
    many = tuple(f"key{number}" for number in range(5000))
    with pytest.raises(ValueError, match="Reload"):
        whole(Reload(applied=many))


def test_the_second_is_not_stuck_in_the_cache() -> None:
    wall = VirtualClock(1_999_000_000)
    stamp = Stamp("boot", VirtualClock(), wall)
    first = stamp(Fault("x", ""))[1]
    wall.advance_to(2_001_000_000)
    assert b"00:00:01.999Z" in first
    assert b"00:00:02.001Z" in stamp(Fault("x", ""))[1]


@pytest.mark.parametrize(
    "junk",
    [b"", b"\n", b"{}", b"[1]", b"\0" * 40, b"\xff", b"[" * 100_000, whole(Fault("x", "y"))[:-3]],
)
def test_what_is_no_line_has_no_envelope(junk: bytes) -> None:
    assert envelope(junk) is None


def test_a_newer_event_is_named_in_the_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="eclipse"):
        decode(b'{"event":"eclipse"}')


def test_the_boot_id_of_a_system_without_one(tmp_path: Path) -> None:
    (tmp_path / "boot_id").write_text("0ef4\n")
    assert read_boot_id(tmp_path / "boot_id") == "0ef4"
    assert read_boot_id(tmp_path / "none") == "unknown"
