"""Blocks that were written and cannot be read back, as a worn card has them."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.journal.events import Fault
from edge_daemon.journal.files import JournalFiles
from edge_daemon.journal.line import envelope
from edge_daemon.journal.linefile import LineFile
from edge_daemon.journal.reader import BadLine, follow, newest_first, read
from edge_daemon.journal.rotation import ACTIVE, last_seq
from edge_daemon.journal.salvage import last_readable
from edge_daemon.journal.writer import Journal
from tests.journal import samples
from tests.journal.samples import assert_contiguous, lines, prediction, total_bytes

KIB = 1024
BLOCK_BYTES = 4 * KIB
SECOND_NS = 1_000_000_000

Spoil = Callable[[Path, range], None]


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spoil]:
    """Make some blocks of a file unreadable, whatever name it has later."""
    bad: dict[int, range] = {}
    held: list[int] = []  # or a file made after it was deleted would have the same number
    pread = os.pread

    def from_worn_card(fd: int, size: int, offset: int) -> bytes:
        first = offset // BLOCK_BYTES
        last = (offset + size - 1) // BLOCK_BYTES
        for block in bad.get(os.fstat(fd).st_ino, range(0)):
            if block == first:
                raise OSError(errno.EIO, "Input/output error")
            if first < block <= last:  # as the kernel does: up to there, and the error next time
                return pread(fd, block * BLOCK_BYTES - offset, offset)
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", from_worn_card)

    def spoil(path: Path, blocks: range) -> None:
        held.append(os.open(path, os.O_RDONLY))
        bad[os.fstat(held[-1]).st_ino] = blocks

    yield spoil
    for fd in held:
        os.close(fd)


def blocks(path: Path) -> range:
    return range(-(-path.stat().st_size // BLOCK_BYTES))


def written(directory: Path, count: int = 200) -> Path:
    """Write a run of so many predictions and return the active file."""
    journal = Journal(directory, buffer_lines=count)
    journal.open()
    for number in range(count):
        journal.write(prediction(number))
    assert journal.stop()
    return directory / ACTIVE


def seqs_before(path: Path, block: int) -> list[int]:
    """Return the numbers of the lines that end before a block."""
    whole = path.read_bytes()[: block * BLOCK_BYTES].split(b"\n")[:-1]
    return [found.seq for line in whole if (found := envelope(line)) is not None]


def told(directory: Path) -> list[Fault]:
    """Return the faults that can be read."""
    events = [line.typed() for line in read(directory)]
    return [event for event in events if isinstance(event, Fault)]


@pytest.mark.parametrize("back", [1, 5])
def test_a_file_that_cannot_be_read_at_its_end_is_kept_and_another_begun(
    tmp_path: Path, spoil: Spoil, back: int
) -> None:
    file = written(tmp_path)
    content = file.read_bytes()
    bad = blocks(file)[-back]
    last = seqs_before(file, bad)[-1] if back == 1 else 199
    spoil(file, range(bad, bad + 1))
    journal = Journal(tmp_path)
    journal.start()
    assert journal.error is None
    journal.write(samples.EVENTS[0])
    assert journal.flush(5.0)
    journal.write(prediction(0))
    assert journal.flush(5.0)
    journal.stop()
    kept = tmp_path / "journal-000000000000.jsonl"
    assert kept.read_bytes() == content
    found = lines(tmp_path / ACTIVE)
    assert found[0].event == "start"
    assert sorted(line.event for line in found) == ["fault", "prediction", "start"]
    assert_contiguous(found, last + 1)
    (fault,) = told(tmp_path)
    assert fault.message.startswith(f"{kept}: part of it cannot be read (Input/output error)")


def test_nothing_follows_the_last_line_of_a_run(tmp_path: Path, spoil: Spoil) -> None:
    file = written(tmp_path)
    spoil(file, blocks(file))
    journal = Journal(tmp_path)
    journal.open()
    journal.write(prediction(0))
    journal.step()
    journal.write(samples.EVENTS[-1])
    assert journal.stop()
    assert [line.event for line in read(tmp_path / ACTIVE)] == ["prediction", "stop"]


def test_a_file_of_which_nothing_can_be_read_ends_no_journal(
    tmp_path: Path, spoil: Spoil, caplog: pytest.LogCaptureFixture
) -> None:
    file = written(tmp_path)
    spoil(file, blocks(file))
    journal = Journal(tmp_path, timer=VirtualClock())
    journal.step()
    for number in range(2):
        journal.write(prediction(number))
        journal.step()
    journal.stop()
    assert (journal.waiting, journal.lost, journal.error) == (0, 0, None)
    assert [line.event for line in read(tmp_path / ACTIVE)] == ["prediction", "prediction", "fault"]
    assert len(told(tmp_path)) == 1
    assert caplog.text.count("part of it cannot be read") == 1


def test_a_block_that_fails_while_the_journal_runs_is_told_with_its_outage(
    tmp_path: Path, spoil: Spoil
) -> None:
    timer = VirtualClock()
    journal = Journal(tmp_path, timer=timer)
    journal.open()
    journal.write(prediction(0))
    journal.step()
    spoil(tmp_path / ACTIVE, range(1))
    (tmp_path / ACTIVE).rename(tmp_path / "away")  # an error, for whatever reason
    timer.advance_to(2 * SECOND_NS)
    journal.step()
    (tmp_path / "away").rename(tmp_path / ACTIVE)
    journal.write(prediction(1))
    journal.step()
    found = lines(tmp_path / ACTIVE)
    assert_contiguous(found, 1)
    assert [line.event for line in found] == ["prediction", "fault", "fault"]
    journal.stop()


def test_a_full_file_whose_head_cannot_be_read_is_rotated(tmp_path: Path, spoil: Spoil) -> None:
    journal = Journal(tmp_path, max_file_bytes=16 * KIB, max_total_bytes=64 * KIB)
    journal.open()
    for number in range(100):  # two files, the second one not yet full
        journal.write(prediction(number))
    journal.step()
    (before,) = (path for path in tmp_path.glob("journal-*"))
    first = lines(tmp_path / ACTIVE)[0].seq
    assert first == lines(before)[-1].seq + 1
    spoil(tmp_path / ACTIVE, range(1))
    for number in range(100, 160):
        journal.write(prediction(number))
        journal.step()
    assert (journal.waiting, journal.error) == (0, None)
    kept = tmp_path / f"journal-{first:012d}.jsonl"
    assert kept.exists()
    (fault,) = told(tmp_path)
    assert fault.message.startswith(str(kept))
    for number in range(600):
        journal.write(prediction(number))
        journal.step()
    journal.stop()
    assert not kept.exists()  # pruned in its turn
    assert total_bytes(tmp_path) <= 64 * KIB
    assert lines(tmp_path)[-1].seq == journal.written == 100 + 60 + 600  # the fault is one more


def test_numbers_go_on_after_the_last_line_of_a_rotated_file_that_can_be_read(
    tmp_path: Path, spoil: Spoil
) -> None:
    file = written(tmp_path)
    rotated = file.rename(tmp_path / "journal-000000000000.jsonl")
    bad = blocks(rotated)[-3:]
    last = seqs_before(rotated, bad[0])[-1]
    spoil(rotated, range(bad[0], bad[-1] + 1))
    journal = Journal(tmp_path)
    journal.open()
    assert journal.written == last
    journal.write(prediction(0))
    journal.step()
    journal.step()
    assert [line.seq for line in read(tmp_path)][-2:] == [last + 1, last + 2]
    assert len(told(tmp_path)) == 1
    journal.stop()


def test_the_name_of_a_rotated_file_counts_where_nothing_in_it_can_be_read(
    tmp_path: Path, spoil: Spoil, caplog: pytest.LogCaptureFixture
) -> None:
    rotated = written(tmp_path).rename(tmp_path / "journal-000000007000.jsonl")
    spoil(rotated, blocks(rotated))
    assert last_seq(tmp_path) == 7000
    assert f"{rotated}: part of it cannot be read" in caplog.text


def test_a_file_with_one_bad_block_gives_the_last_line_outside_it(
    tmp_path: Path, spoil: Spoil
) -> None:
    file = written(tmp_path)
    with file.open("rb") as opened:
        for block in blocks(file):
            spoil(file, range(block, block + 1))
            seq, error = last_readable(opened.fileno())
            if block < blocks(file)[-1]:
                assert seq == 199
            else:
                assert seq == seqs_before(file, block)[-1]
                assert error is not None
                assert error.errno == errno.EIO


def test_a_line_in_several_blocks_counts_only_where_all_of_it_can_be_read(
    tmp_path: Path, spoil: Spoil
) -> None:
    file = tmp_path / ACTIVE
    journal = Journal(tmp_path)
    journal.open()
    journal.write(prediction(0))
    journal.write(Fault("x", "y" * 14 * KIB))
    journal.stop()
    with file.open("rb") as opened:
        assert last_readable(opened.fileno()) == (1, None)
        spoil(file, range(1, 2))  # nothing but y: what is around it would be a line
        assert last_readable(opened.fileno())[0] == 0


def test_a_file_that_is_all_bad_is_given_up_after_few_blocks(
    tmp_path: Path, spoil: Spoil, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large"
    file.touch()
    os.truncate(file, 64 * 1024 * KIB)
    spoil(file, blocks(file))
    tried: list[int] = []
    pread = os.pread

    def counted(fd: int, size: int, offset: int) -> bytes:
        tried.append(offset)
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    with file.open("rb") as opened:
        seq, error = last_readable(opened.fileno())
    assert (seq, error is None) == (None, False)
    assert 5 < len(tried) < 20  # of 16384


def test_another_error_is_not_taken_for_a_bad_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path)
    content = file.read_bytes()
    reads = 0
    pread = os.pread

    def out_of_memory_once(fd: int, size: int, offset: int) -> bytes:
        nonlocal reads
        reads += 1
        if reads == 1:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", out_of_memory_once)
    with pytest.raises(OSError, match="Cannot allocate memory"):
        JournalFiles(tmp_path, 16 * KIB, 64 * KIB).open()
    assert [path.name for path in tmp_path.iterdir()] == [ACTIVE]
    assert file.read_bytes() == content
    reads = 0
    with (
        file.open("rb") as opened,
        pytest.raises(OSError, match="Cannot allocate memory"),
    ):
        last_readable(opened.fileno())


def test_a_reader_goes_back_past_what_cannot_be_read(tmp_path: Path, spoil: Spoil) -> None:
    written(tmp_path, 10).rename(tmp_path / "journal-000000000000.jsonl")
    middle = written(tmp_path, 1000).rename(tmp_path / "journal-000000000010.jsonl")
    written(tmp_path, 5)
    bad_block = blocks(middle)[-20]
    spoil(middle, range(bad_block, bad_block + 1))
    bad: list[BadLine] = []
    found = [line.seq for line in newest_first(tmp_path, bad.append)]
    assert found[:5] == [1014, 1013, 1012, 1011, 1010]
    assert found[-10:] == list(range(9, -1, -1))
    (each,) = bad
    assert (each.path, each.why) == (middle, "cannot be read: [Errno 5] Input/output error")
    seen = found[5:-10]  # what stands in the last 64 KiB comes with the bad block, or not at all
    assert seen == list(range(1009, 1009 - len(seen), -1))
    assert len(seen) > 100
    assert [line.seq for line in follow(tmp_path, ended(), count=3)] == [1012, 1013, 1014]
    assert [line.seq for line in follow(tmp_path, ended(), count=2000)] == found[::-1]


def test_a_reader_does_not_need_the_first_line_of_the_active_file(
    tmp_path: Path, spoil: Spoil
) -> None:
    written(tmp_path, 10).rename(tmp_path / "journal-000000000000.jsonl")
    spoil(written(tmp_path, 5), range(1))
    bad: list[BadLine] = []
    assert [line.seq for line in read(tmp_path, bad.append)] == list(range(10))
    assert [each.path.name for each in bad] == [ACTIVE]


def test_after_reading_back_the_position_is_behind_the_last_newline_or_what_is_bad(
    tmp_path: Path, spoil: Spoil
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"no newline")
    with LineFile(path) as file:
        assert (list(file.backwards()), file.position) == ([], 0)
    path.write_bytes(b"one\nand a half")
    with LineFile(path) as file:
        assert (list(file.backwards()), file.position) == ([(0, b"one")], 4)
        spoil(path, range(1))
        with pytest.raises(OSError, match="Input/output error"):
            list(file.backwards())
        assert file.position == 14


def ended() -> threading.Event:
    event = threading.Event()
    event.set()
    return event
