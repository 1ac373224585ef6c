"""Disks that are full, slow, read-only or gone: all real ones."""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.journal.events import Fault, TierChange
from edge_daemon.journal.rotation import ACTIVE
from edge_daemon.journal.writer import Journal
from tests.journal import samples
from tests.journal.samples import assert_contiguous, lines, prediction

SECOND_NS = 1_000_000_000


def last_fault(directory: Path) -> Fault:
    fault = lines(directory)[-1].typed()
    assert isinstance(fault, Fault)
    return fault


def full_journal(directory: Path, timer: VirtualClock, buffer_lines: int = 64) -> Journal:
    """Return a journal whose file is a device that is always full."""
    (directory / ACTIVE).symlink_to("/dev/full")
    journal = Journal(directory, timer=timer, buffer_lines=buffer_lines)
    journal.open()
    assert journal.error is None
    return journal


def test_a_full_disk_keeps_lines_waiting_and_says_so_afterwards(tmp_path: Path) -> None:
    timer = VirtualClock()
    journal = full_journal(tmp_path, timer)
    for number in range(10):
        journal.write(prediction(number))
    journal.step()
    assert journal.waiting == 10
    assert "No space left" in str(journal.error)
    assert not journal.flush()
    (tmp_path / ACTIVE).unlink()
    timer.advance_to(3 * SECOND_NS)
    journal.step()
    assert (journal.waiting, journal.lost, journal.error) == (0, 0, None)
    found = lines(tmp_path)
    assert_contiguous(found)
    assert len(found) == 11
    fault = last_fault(tmp_path)
    assert fault.message.startswith("no disk for 3.0 s")
    assert (fault.count, fault.lines_lost) == (2, 0)
    journal.stop()


def test_what_a_long_outage_cost_is_counted_and_the_tier_changes_are_kept(tmp_path: Path) -> None:
    journal = full_journal(tmp_path, VirtualClock(), buffer_lines=20)
    for number in range(100):
        journal.write(prediction(number))
        if number % 10 == 0:
            journal.write(samples.EVENTS[2])
            journal.step()
    assert journal.lost == 90
    (tmp_path / ACTIVE).unlink()
    journal.step()
    found = lines(tmp_path)
    assert_contiguous(found)
    assert len(found) == 21
    assert sum(isinstance(line.typed(), TierChange) for line in found) == 10
    assert last_fault(tmp_path).lines_lost == 90
    journal.write(prediction(100))
    journal.step()
    assert sum(line.event == "fault" for line in lines(tmp_path)) == 1
    journal.stop()


def test_the_worker_tries_again_by_itself(tmp_path: Path) -> None:
    (tmp_path / ACTIVE).symlink_to("/dev/full")
    journal = Journal(tmp_path)
    journal.start()
    journal.write(prediction(0))
    assert not journal.flush(5.0)
    (tmp_path / ACTIVE).unlink()
    assert journal.flush(5.0)
    assert lines(tmp_path)[0].event == "prediction"
    assert journal.stop()


def test_stop_at_a_full_disk_ends_and_says_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ACTIVE).symlink_to("/dev/full")
    journal = Journal(tmp_path)
    journal.start()
    journal.write(prediction(0))
    journal.write(samples.EVENTS[-1])
    assert not journal.stop(5.0)
    assert "2 lines did not reach the disk" in caplog.text


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ACTIVE)  # a full pipe blocks its writer, as a dying SD card does
    timer = VirtualClock()
    journal = Journal(tmp_path, timer=timer, buffer_lines=1000)
    journal.start()
    reader = os.open(tmp_path / ACTIVE, os.O_RDONLY | os.O_NONBLOCK)
    for number in range(1500):
        journal.write(prediction(number))
    assert not journal.flush(0.2)
    timer.advance_to(9 * SECOND_NS)
    assert journal.error == f"{tmp_path}: the disk has not answered for 9 s"
    assert not journal.stop(0.1)
    got = bytearray()
    while b'"label"' not in got or got[-1:] != b"\n" or journal.waiting:
        try:
            got += os.read(reader, 1 << 20)
        except BlockingIOError:
            journal.flush(0.05)
    os.close(reader)
    assert_contiguous_bytes(bytes(got))


def assert_contiguous_bytes(data: bytes) -> None:
    found = [line for line in data.split(b"\n") if line]
    assert [f'"seq":{n},'.encode() in line for n, line in enumerate(found)] == [True] * len(found)


class Sluggish:
    """A timer that goes on by so much at each look, and so at each write."""

    def __init__(self) -> None:
        self.takes_s = 0.0
        self._now_ns = 0

    def __call__(self) -> int:
        self._now_ns += round(self.takes_s * SECOND_NS)
        return self._now_ns


def test_a_slow_disk_is_told_in_the_journal_once(tmp_path: Path) -> None:
    timer = Sluggish()
    journal = Journal(tmp_path, timer=timer)
    journal.open()
    timer.takes_s = 0.6
    for number in range(400):
        journal.write(prediction(number))
    journal.step()  # two quick writes, and not one of 1.2 s
    for number, takes_s in enumerate([0.9, 2.5, 0.1, 4.0]):
        timer.takes_s = takes_s
        journal.write(prediction(number))
        journal.step()
    assert journal.flush()
    assert journal.error is None
    found = lines(tmp_path)
    assert_contiguous(found)
    (fault,) = (line.typed() for line in found if line.event == "fault")
    assert fault == Fault("journal", "the disk took 2.5 s for a write, and lines waited meanwhile")
    journal.stop()


def test_nothing_follows_the_last_line_of_a_run_to_a_slow_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    timer = Sluggish()
    journal = Journal(tmp_path, timer=timer)
    journal.open()
    timer.takes_s = 2.5
    journal.write(samples.EVENTS[-1])
    assert journal.stop()
    assert [line.event for line in lines(tmp_path)] == ["stop"]
    assert "the disk took 2.5 s for a write" in caplog.text


@pytest.mark.parametrize("what", ["directory", "file", "moved", "replaced"])
def test_a_deleted_journal_is_begun_again(tmp_path: Path, what: str) -> None:
    directory = tmp_path / "journal"
    timer = VirtualClock()
    journal = Journal(directory, timer=timer)
    journal.open()
    journal.write(prediction(0))
    journal.step()
    if what == "directory":
        shutil.rmtree(directory)
    elif what == "file":
        (directory / ACTIVE).unlink()
    elif what == "moved":
        directory.rename(tmp_path / "elsewhere")
    else:
        (directory / ACTIVE).unlink()
        (directory / ACTIVE).touch()
    timer.advance_to(2 * SECOND_NS)
    journal.write(prediction(1))
    journal.step()
    assert journal.waiting == 1
    assert "by someone" in str(journal.error) or "No such file" in str(journal.error)
    journal.step()
    found = lines(directory)
    assert [line.event for line in found] == ["prediction", "fault"]
    assert_contiguous(found, 1)
    assert last_fault(directory).lines_lost == 0  # whoever took the file has its lines
    assert journal.error is None
    journal.stop()


def test_what_a_failing_file_system_lost_of_the_written_lines_is_counted(tmp_path: Path) -> None:
    timer = VirtualClock()
    journal = Journal(tmp_path, timer=timer)
    journal.open()
    for number in range(5):
        journal.write(prediction(number))
    journal.step()
    file = tmp_path / ACTIVE
    two = b"".join(file.read_bytes().splitlines(keepends=True)[:2])
    with no_larger_files(len(two)):
        journal.write(prediction(5))
        journal.step()
        os.truncate(file, len(two) + 16)  # and sixteen bytes of a third line
        journal.step()
        journal.step()  # finds the loss once more
    assert "File too large" in str(journal.error)
    timer.advance_to(SECOND_NS)
    journal.step()
    found = lines(tmp_path)
    assert [line.seq for line in found] == [0, 1, 5, 6]
    fault = last_fault(tmp_path)
    assert fault.lines_lost == 3
    assert "3 of them written before: the file system did not keep them" in fault.message
    assert "16 torn bytes cut" in fault.message
    journal.stop()


@contextlib.contextmanager
def no_larger_files(size: int) -> Iterator[None]:
    """Let every write beyond a size fail in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_does_not_follow_a_deleted_file_into_nowhere(tmp_path: Path) -> None:
    journal = Journal(tmp_path, timer=VirtualClock())  # no time passes
    journal.open()
    for number in range(3):
        (tmp_path / ACTIVE).unlink()
        journal.write(prediction(number))
        journal.step()
        assert journal.waiting == 1
        journal.step()
        assert lines(tmp_path)[0].fields["window"] == number
    journal.stop()


def test_a_directory_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "journal")
    journal.start()
    assert "Not a directory" in str(journal.error)
    journal.write(prediction(0))
    (tmp_path / "file").unlink()
    assert journal.flush(5.0)
    assert journal.stop()
    assert_contiguous(lines(journal.directory))


def test_a_directory_of_somebody_else_is_not_called_a_failing_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o555)
    journal = Journal(tmp_path / "journal", timer=VirtualClock())
    user = os.geteuid()
    if user == 0:  # to whom everything is open
        os.seteuid(65534)
    try:
        journal.step()
    finally:
        os.seteuid(user)
    told = f"{journal.directory} may not be written to by this user, lines wait: PermissionError"
    assert told in caplog.text
    assert "the disk fails" not in caplog.text
    journal.write(prediction(0))
    tmp_path.chmod(0o755)
    assert journal.stop()


def test_a_file_that_cannot_be_made_costs_nobody_else_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that was closed is somebody else's by the time that the journal lets go."""
    (tmp_path / ACTIVE).write_text("holiday pictures\n")
    journal = Journal(tmp_path, timer=VirtualClock())
    others: list[int] = []
    really_open = os.open

    def full(path: Path, flags: int, mode: int = 0o777) -> int:
        if path == tmp_path / ACTIVE and not path.exists():
            others.append(really_open("/dev/null", os.O_RDONLY))
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return really_open(path, flags, mode)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", full)
        journal.step()
    assert "No space left" in str(journal.error)
    (other,) = others
    assert os.path.samestat(os.fstat(other), Path("/dev/null").stat())
    os.close(other)
    journal.write(prediction(0))
    assert journal.stop()


def run(program: str, *arguments: str | Path, wrap: tuple[str, ...] = ()) -> str:
    command = [*wrap, sys.executable, "-c", PRELUDE + program, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


PRELUDE = """
import os, resource, subprocess, sys, time
from pathlib import Path
from edge_daemon.journal.writer import Journal
from tests.journal.samples import EVENTS, assert_contiguous, lines, prediction
directory = Path(sys.argv[1])
"""

SIZE_LIMIT = """
journal = Journal(directory)
journal.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
for number in range(300):
    journal.write(prediction(number))
for _ in range(3):
    journal.step()
    assert (directory / "journal.jsonl").stat().st_size <= 10_000
    assert_contiguous(lines(directory))  # nothing torn while the disk is full
assert "File too large" in journal.error or "no space" in journal.error, journal.error
on_disk = journal.written + 1
assert 0 < on_disk < 300 and on_disk + journal.waiting == 300, (on_disk, journal.waiting)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert journal.flush() and journal.stop()
found = lines(directory)
assert_contiguous(found)
assert [line.fields["window"] for line in found[:300]] == list(range(300))
assert found[300].event == "fault" and len(found) == 301
"""


def test_a_line_that_only_half_fits_is_undone(tmp_path: Path) -> None:
    run(SIZE_LIMIT, tmp_path)


TMPFS = """
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", directory], check=True)
(directory / "hog").write_bytes(b"x" * 40_000)
journal = Journal(directory)
journal.start()
for number in range(400):
    journal.write(prediction(number))
assert not journal.flush(5.0)
assert "No space" in journal.error or "no space" in journal.error, journal.error
assert_contiguous(lines(directory))
assert 0 < journal.written < 400 - 1
(directory / "hog").unlink()
began = time.monotonic()
while journal.waiting and time.monotonic() - began < 30:
    journal.flush(0.2)
    if journal.error and journal.written > 100:
        break  # the rest does not fit on 64 KiB
assert_contiguous(lines(directory))
assert journal.written > 100
journal.stop()
"""

READ_ONLY = """
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", directory], check=True)
def remount(how):
    subprocess.run(["mount", "-o", f"remount,{how}", directory], check=True)
remount("ro")
journal = Journal(directory / "journal")
journal.start()
journal.write(prediction(0))
assert not journal.flush(5.0)
assert "Read-only" in journal.error, journal.error
remount("rw")
began = time.monotonic()
while journal.waiting or journal.error:
    assert time.monotonic() - began < 5.0, journal.error  # by itself, within 5 s
    time.sleep(0.02)
assert journal.stop()
assert [line.event for line in lines(directory / "journal")] == ["prediction", "fault"]
"""


@pytest.mark.root
@pytest.mark.parametrize("program", [TMPFS, READ_ONLY], ids=["full", "read-only"])
def test_a_file_system_of_its_own(tmp_path: Path, program: str) -> None:
    if os.geteuid() != 0 or not _can_mount():
        pytest.skip("needs root and a kernel that allows mount namespaces")
    run(program, tmp_path, wrap=("unshare", "--mount"))


def _can_mount() -> bool:
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
