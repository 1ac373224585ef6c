import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_daemon.journal.events import Fault
from edge_daemon.journal.line import Stamp, envelope
from edge_daemon.journal.reader import BadLine, read
from edge_daemon.journal.repair import Tail, inspect, repair


def journal(count: int, text: str = "y") -> bytes:
    stamp = Stamp("boot")
    parts = []
    for seq in range(count):
        _, head, body = stamp(Fault("x", text))
        parts.append(b"%b%d%b" % (head, seq, body))
    return b"".join(parts)


GOOD = journal(3)
LINE = GOOD.splitlines(keepends=True)[0]


def repaired(path: Path, data: bytes) -> tuple[Tail, bytes]:
    path.write_bytes(data)
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        return repair(fd), path.read_bytes()
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("torn", "what"),
    [
        (b"", "nothing"),
        (LINE[:40], "half a line"),
        (b"\0" * 5000, "zeros where ext4 kept the length but not the data"),
        (LINE[:40] + b"\0" * 5000, "half a line, then zeros"),
        (b"\0" * 100 + LINE[40:], "a line whose first block was lost"),
        (b"\0" * 100 + b"\n" + LINE[:10] + b"\n", "junk that has newlines"),
        (b"{}\n[]\n\n", "JSON that is no line"),
        (b"[" * 200_000, "deep nesting"),
        (os.urandom(300_000), "more junk than is read at once"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_follows_the_last_whole_line_is_cut(tmp_path: Path, torn: bytes, what: str) -> None:
    tail, data = repaired(tmp_path / "j", GOOD + torn)
    assert data == GOOD, what
    assert tail == Tail(len(GOOD), len(torn), 2)


def test_a_line_that_only_lacks_its_newline_is_completed(tmp_path: Path) -> None:
    tail, data = repaired(tmp_path / "j", GOOD[:-1])
    assert data == GOOD
    assert (tail.seq, tail.torn, tail.newline) == (2, 0, True)


def test_a_whole_line_before_zeros_is_kept(tmp_path: Path) -> None:
    tail, data = repaired(tmp_path / "j", GOOD[:-1] + b"\0" * 700)
    assert data == GOOD
    assert (tail.seq, tail.torn) == (2, 700)


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, LINE[:20]])
def test_a_file_without_a_whole_line_becomes_empty(tmp_path: Path, data: bytes) -> None:
    tail, left = repaired(tmp_path / "j", data)
    assert left == b""
    assert tail == Tail(0, len(data), None)


def test_long_files_are_read_from_their_end(tmp_path: Path) -> None:
    data = journal(2000, "z" * 300)
    tail, left = repaired(tmp_path / "j", data + b"\0" * 200_000)
    assert left == data
    assert tail.seq == 1999


anything = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=50).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.just(b"\0" * 64),
    st.just(b"\n"),
    st.integers(0, len(LINE)).map(lambda end: LINE[:end]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    count=st.integers(0, 5),
    cut=st.integers(0, 2000),
    junk=st.lists(anything, max_size=5).map(b"".join),
)
def test_repair_keeps_exactly_the_whole_lines(
    tmp_path: Path, count: int, cut: int, junk: bytes
) -> None:
    data = journal(count)
    data = data[: max(0, len(data) - cut)] + junk
    path = tmp_path / "j"
    tail, left = repaired(path, data)

    # Reference: judge every line of the whole file, forwards.
    ends, end = [0], 0
    for line in _split(data):
        end += len(line)
        if envelope(line.rstrip(b"\0")) is not None:
            ends.append(end)
    kept = data[: ends[-1]].rstrip(b"\0")
    assert left == (kept if kept.endswith(b"\n") or not kept else kept + b"\n")
    assert tail.torn == len(data) - len(kept)

    bad: list[BadLine] = []
    found = list(read(path, bad.append))
    assert (found[-1].seq if found else None) == tail.seq
    again, same = repaired(path, left)
    assert (same, again.torn, again.newline) == (left, 0, False)


def _split(data: bytes) -> list[bytes]:
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def test_inspect_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(GOOD + b"torn")
    fd = os.open(path, os.O_RDONLY)
    assert inspect(fd) == Tail(len(GOOD), 4, 2)
    os.close(fd)
    assert path.read_bytes() == GOOD + b"torn"
