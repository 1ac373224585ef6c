import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_daemon.journal.reader import BadLine, Line, follow, read
from edge_daemon.journal.rotation import ACTIVE, rotate
from edge_daemon.journal.writer import Journal
from edge_daemon.worker import Worker
from tests.journal.samples import assert_contiguous, lines, prediction

KIB = 1024


def write(directory: Path, count: int, file_kib: int = 16) -> Journal:
    journal = Journal(
        directory, max_file_bytes=file_kib * KIB, max_total_bytes=1024 * KIB, buffer_lines=10_000
    )
    journal.open()
    extend(journal, count)
    return journal


def extend(journal: Journal, count: int) -> None:
    begin = journal.written + 1
    for number in range(begin, begin + count):
        journal.write(prediction(number))
    journal.step()


def now(directory: Path, count: int) -> list[int]:
    """Return the numbers of the last lines that are there."""
    stop = threading.Event()
    stop.set()
    return [line.seq for line in follow(directory, stop, count=count)]


def test_files_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, 500).stop()
    assert len(list(tmp_path.iterdir())) > 5
    assert_contiguous(lines(tmp_path))
    assert len(lines(tmp_path)) == 500
    assert_contiguous(list(read(tmp_path / "journal-000000000000.jsonl")))


def test_a_file_that_is_rotated_while_it_is_read_is_read_once(tmp_path: Path) -> None:
    journal = write(tmp_path, 200)
    reading = read(tmp_path)
    found = [next(reading)]
    rotate(tmp_path)
    journal.step()
    found += reading
    assert_contiguous(found)
    assert len(found) == 200


def test_bad_lines_are_reported_with_their_place(tmp_path: Path) -> None:
    write(tmp_path, 2).stop()
    path = tmp_path / ACTIVE
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'\0\0\n{"seq":"two"}\n\xff\n{"seq":2,"event":"torn')
    bad: list[BadLine] = []
    assert_contiguous(list(read(tmp_path, bad.append)))
    assert [(each.path, each.offset - size, each.raw[:14]) for each in bad] == [
        (path, 0, b"\0\0"),
        (path, 3, b'{"seq":"two"}'),
        (path, 17, b"\xff"),
        (path, 19, b'{"seq":2,"even'),
    ]
    assert "`seq`" in bad[1].why
    assert "JSON" in bad[3].why


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read(tmp_path / "none"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=80), st.just(b"\n"), st.just(b"[" * 5000)), max_size=9)
)
def test_no_content_makes_the_reader_raise(tmp_path: Path, junk: list[bytes]) -> None:
    (tmp_path / ACTIVE).write_bytes(b"".join(junk))
    assert list(read(tmp_path)) == []
    assert now(tmp_path, 3) == []


def test_the_last_lines_come_from_as_many_files_as_it_takes(tmp_path: Path) -> None:
    write(tmp_path, 500).stop()
    assert now(tmp_path, 0) == []
    assert now(tmp_path, 3) == [497, 498, 499]
    assert now(tmp_path, 333) == list(range(167, 500))
    assert now(tmp_path, 9999) == list(range(500))


def test_lines_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    line = b'{"seq":%d,"event":"x","text":"' + b"y" * 200_000 + b'"}\n'
    (tmp_path / ACTIVE).write_bytes(b"".join(line % n for n in range(12)))
    assert now(tmp_path, 4) == [8, 9, 10, 11]
    assert [each.seq for each in read(tmp_path)] == list(range(12))


class Follower:
    """A reader in a worker of its own, and a way to wait for what it has seen."""

    def __init__(self, directory: Path, count: int = 10) -> None:
        self.bad: list[BadLine] = []
        self._found: list[Line] = []
        self._changed = threading.Condition()
        self._directory = directory
        self._count = count
        self.worker = Worker("follower", self._run)
        self.worker.start()

    def _run(self, stop: threading.Event) -> None:
        for line in follow(
            self._directory, stop, count=self._count, on_bad=self.bad.append, poll_s=0.005
        ):
            with self._changed:
                self._found.append(line)
                self._changed.notify_all()

    def wait_for(self, seq: int) -> list[int]:
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: bool(self._found) and self._found[-1].seq == seq, 10.0
            )
            seen = [line.seq for line in self._found]
        assert arrived, f"{seq} did not come: {seen[-5:]}"
        return seen


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    made = Follower(tmp_path / "journal")
    yield made
    assert made.worker.stop(5.0)


def test_following_begins_with_the_last_lines_and_goes_on_across_rotation(tmp_path: Path) -> None:
    journal = write(tmp_path, 100)
    reader = Follower(tmp_path, count=5)
    assert reader.wait_for(99) == list(range(95, 100))
    for _ in range(20):
        extend(journal, 100)  # more than one file at a time
    assert reader.wait_for(2099) == list(range(95, 2100))
    assert reader.worker.stop(5.0)
    assert reader.bad == []
    journal.stop()


def test_files_that_are_rotated_while_a_reader_is_behind_keep_their_order(tmp_path: Path) -> None:
    journal = write(tmp_path, 3)
    stop = threading.Event()
    reader = follow(tmp_path, stop, count=3, poll_s=0.001)
    seen = [next(reader).seq for _ in range(3)]
    extend(journal, 100)  # the reader is two files behind when it looks again,
    seen.append(next(reader).seq)  # has opened the active one, and stands in the oldest
    extend(journal, 300)  # while that one is rotated too, and others after it
    for line in reader:
        seen.append(line.seq)
        if line.seq == 402:
            stop.set()
    assert seen == list(range(403))
    journal.stop()


def test_following_waits_for_a_directory(tmp_path: Path, follower: Follower) -> None:
    journal = write(tmp_path / "journal", 3)
    assert follower.wait_for(2) == [0, 1, 2]
    journal.stop()


def test_following_a_directory_that_is_deleted_and_begun_anew(
    tmp_path: Path, follower: Follower
) -> None:
    directory = tmp_path / "journal"
    write(directory, 150).stop()
    seen = follower.wait_for(149)
    anew = tmp_path / "anew"
    journal = write(anew, 120)
    assert len(list(anew.iterdir())) > 1
    shutil.rmtree(directory)
    anew.rename(directory)
    assert follower.wait_for(119)[len(seen) :] == list(range(120))
    journal.stop()


def test_following_a_file_that_is_truncated(tmp_path: Path, follower: Follower) -> None:
    journal = write(tmp_path / "journal", 10)
    follower.wait_for(9)
    os.truncate(tmp_path / "journal" / ACTIVE, 0)
    extend(journal, 2)
    assert follower.wait_for(11) == list(range(12))
    journal.stop()


def test_a_line_is_seen_only_when_it_is_whole(tmp_path: Path, follower: Follower) -> None:
    directory = tmp_path / "journal"
    write(directory, 2).stop()
    path = directory / ACTIVE
    size = path.stat().st_size
    follower.wait_for(1)
    with path.open("ab", buffering=0) as file:
        file.write(b'{"seq":2,"event":"undone because the disk is full')
        file.truncate(size)
        file.write(b'{"seq":2,')
        file.write(b'"event":"x"}\n')
    assert follower.wait_for(2) == [0, 1, 2]
    assert follower.bad == []


def test_only_what_is_wanted_is_counted(tmp_path: Path) -> None:
    write(tmp_path, 300).stop()
    stop = threading.Event()
    stop.set()
    wanted = follow(tmp_path, stop, count=3, keep=lambda line: line.seq % 50 == 0)
    assert [line.seq for line in wanted] == [150, 200, 250]
