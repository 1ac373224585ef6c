"""Any bytes as a configuration: it is read, or refused in few lines that name the file."""

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_daemon.config.bind import MOST_PROBLEMS
from edge_daemon.config.load import ConfigError, load_config, parse_config
from tests.fuzz.amount import cases, source
from tests.fuzz.mutation import mutant

ROOT = Path(__file__).resolve().parents[2]
FILE = Path("/somewhere/config.yaml")
SEEDS = [(ROOT / name).read_bytes() for name in ("config.yaml", "edge_daemon/demo/config.yaml")]
MOST_S = 60.0
"""Against minutes and hours; a busy board is given its time."""


def refused(raw: bytes) -> bool:
    """Return whether bytes are refused, which must be said in one line a problem."""
    try:
        parse_config(raw, FILE, {"HOME": "/home/somebody"})
    except ConfigError as error:
        lines = str(error).split("\n")
        assert len(lines) <= MOST_PROBLEMS + 1
        assert all(line.startswith(str(FILE)) for line in lines)
        return True
    return False


def test_spoiled_configurations() -> None:
    rng = source("config")
    mutants = [mutant(rng, rng.choice(SEEDS), SEEDS) for _ in range(cases(150))]
    outcomes = {refused(raw) for raw in mutants}
    assert outcomes == {True, False}  # or the fuzzer does too much, or too little


@given(st.binary(max_size=300))
@example(b"\xff")
@example(b'video: {device: "\\ud800"}')
@example(b"? [a]\n: b")
@example(b"a: *b")
@example(b"&a [*a]")
@example(b"!!python/object/apply:os.system [id]")
def test_any_bytes(raw: bytes) -> None:
    refused(raw)


@given(st.text(max_size=200))
def test_any_text_as_a_value(text: str) -> None:
    refused(b"video:\n  device: " + text.encode("utf-8", "surrogatepass"))


LONG = 1 << 17
BOMBS = {
    "brackets": b"[" * LONG,
    "braces": b"{a: " * (LONG // 4),
    "dashes": b"- " * (LONG // 2),
    "unknown keys": b"".join(b"k%d: 1\n" % number for number in range(LONG // 9)),
    "one key": b"tier: low\n" * (LONG // 10),
    "anchors": b"&a " * (LONG // 3),
    "nested anchors": b"&a [" * (LONG // 4),
    "laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(20)
    ),
    "a long list": b"labels: [" + b"a," * (LONG // 2 - 10) + b"]",
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS)
def test_what_is_made_to_take_long_does_not(raw: bytes) -> None:
    started_s = time.monotonic()
    assert refused(raw)
    assert time.monotonic() - started_s < MOST_S


def test_a_file_that_never_ends_is_refused() -> None:
    with pytest.raises(ConfigError, match="/dev/zero: larger than 128 KiB"):
        load_config(Path("/dev/zero"), {})


@pytest.mark.parametrize(
    "text",
    [
        "video:\n  device: [rtsp://user:secret@camera/1]",
        "video: rtsp://user:secret@camera/1",
        "rtsp://user:secret@camera/1: x",
        "tier: rtsp://user:secret@camera/1",
        "audio:\n  device: {rtsp://user:secret@camera/1: 2}",
    ],
)
def test_an_address_in_the_wrong_place_keeps_its_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text.encode(), FILE, {})
    assert "secret" not in str(caught.value)
