"""Any bytes as a journal, through all that reads one: nothing raises, nothing drives a terminal."""

import contextlib
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.governor.script import TraceError
from edge_daemon.journal import events
from edge_daemon.journal.line import MAX_LINE_BYTES
from edge_daemon.journal.reader import BadLine, follow, newest_first, read
from edge_daemon.journal.render import Renderer
from edge_daemon.journal.writer import Journal
from edge_daemon.review.explanation import explanation, sentences
from edge_daemon.review.opening import open_trace
from edge_daemon.review.present import Clocks, NothingToExplainError, present
from tests.fuzz.amount import cases, source
from tests.fuzz.mutation import mutant
from tests.journal import samples

MIB = 1 << 20


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal with every kind of event in it."""
    directory = tmp_path_factory.mktemp("good")
    journal = Journal(directory, boot_id="00000000-0000-0000-0000-000000000001")
    journal.open()
    for event in samples.EVENTS:
        journal.write(event)
    journal.write(events.Fault("capture", "\x1b]0;evil\x07\x9b31m\u202e\r\x7f"))
    journal.stop()
    return (directory / "journal.jsonl").read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spoiled")


def examine(directory: Path, journal: bytes) -> int:
    """Read a journal in every way, and return how many lines were good."""
    (directory / "journal.jsonl").write_bytes(journal)
    bad: list[BadLine] = []
    lines = list(read(directory, bad.append))
    torn = bool(lines) and journal.endswith(lines[-1].raw)  # no line end behind it
    backwards = [line.raw for line in newest_first(directory)]
    assert backwards == [line.raw for line in lines[: -1 if torn else None]][::-1]
    stop = threading.Event()
    stop.set()
    newest = list(follow(directory, stop, count=3))
    assert len(newest) <= 3
    renderer = Renderer(width=100, colour=False)
    for line in lines:
        text = renderer(line.fields) + renderer.day(line.fields)
        assert all(c.isprintable() or c in "\n\u00a0" for c in text), text
    explain(directory)
    with contextlib.suppress(TraceError):
        list(open_trace(directory).steps)
    return len(lines)


def explain(directory: Path) -> None:
    try:
        found = present(newest_first(directory))
    except NothingToExplainError:
        return
    for boot_id in (found.newest.boot_id, "another"):
        now = Clocks(1.8e9, 10**12, 10**12, boot_id)
        assert list(sentences(explanation(found, now, silent_s=70.0), now.wall_s))


def test_a_good_one_is_good(good: bytes, place: Path) -> None:
    assert examine(place, good) == good.count(b"\n")


def test_spoiled_journals(good: bytes, place: Path) -> None:
    rng = source("journal")
    lines = good.splitlines(keepends=True)
    for _ in range(cases(400)):
        start = rng.randrange(len(lines))
        few = b"".join(lines[start : start + rng.randrange(1, 5)])
        examine(place, mutant(rng, rng.choice((good, few, few)), lines))


@given(journal=st.binary(max_size=400))
def test_any_bytes(place: Path, journal: bytes) -> None:
    examine(place, journal)


@given(text=st.text(), cut=st.integers(0, 400))
def test_any_text_in_a_line_that_is_torn(good: bytes, place: Path, text: str, cut: int) -> None:
    line = good.splitlines()[0][:cut] + text.encode("utf-8", "surrogatepass")
    examine(place, line + b"\n" + good + line)


@pytest.mark.parametrize(
    "what",
    [
        b"\0" * 40 * MIB,
        b"[" * 2 * MIB + b"\n",
        b'{"a":' * (MIB // 5) + b"\n",
        b"x" * 40 * MIB + b"\n",
        b'{"seq":0,"event":"' + b"x" * 3 * MIB + b'"}\n',
        b'{"seq":' + b"9" * MIB + b',"event":"start"}\n',
    ],
    ids=["zeros", "nested", "objects", "no line end", "a long line", "digits"],
)
def test_what_is_huge_does_not_hide_what_is_behind_it(
    good: bytes, place: Path, what: bytes
) -> None:
    assert examine(place, what + b"\n" + good) >= good.count(b"\n")
    assert max(len(line) for line in good.splitlines()) < MAX_LINE_BYTES


@pytest.mark.parametrize("field", [b'"mono_ns":', b'"time_ns":', b'"decided_mono_ns":'])
def test_a_number_beyond_reason_makes_a_bad_line(good: bytes, place: Path, field: bytes) -> None:
    assert field in good
    spoiled = re.sub(field + rb"\d+", field + b"9" * 400, good)
    wrong = sum(field in line for line in good.splitlines())
    assert examine(place, spoiled) == good.count(b"\n") - wrong
