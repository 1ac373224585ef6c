import fcntl
import grp
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_daemon.permission import in_use, other_writer, unreadable, user_name, writable

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@contextmanager
def as_nobody() -> Iterator[None]:
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal as the service has it: for its owner and its group alone."""
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    path = tmp_path / "edge-daemon"
    path.mkdir()
    (path / "journal.jsonl").write_text("{}\n")
    path.chmod(0o750)
    return path


def test_what_may_be_read_or_is_not_there_is_no_complaint(journal: Path) -> None:
    assert unreadable(journal) is None
    assert unreadable(journal / "journal.jsonl") is None
    assert unreadable(journal / "nothing" / "at all") is None


@needs_root
@pytest.mark.parametrize("name", ["", "journal.jsonl", "night.jsonl"])
def test_the_group_that_may_read_is_named(journal: Path, name: str) -> None:
    os.chown(journal, 1, 1)
    with as_nobody():
        found = unreadable(journal / name)
        user = user_name()
    group = grp.getgrgid(1).gr_name
    assert found == (
        f"{journal}: may not be read by this user: sudo adduser {user} {group}, and log in again"
    )


@needs_root
def test_a_file_in_a_directory_that_may_be_listed(journal: Path) -> None:
    journal.chmod(0o755)
    file = journal / "journal.jsonl"
    file.chmod(0o640)
    os.chown(file, 1, 1)
    with as_nobody():
        found = unreadable(journal)
    assert found is not None
    assert found.startswith(f"{file}: may not be read by this user: sudo adduser ")


@needs_root
@pytest.mark.parametrize(("mode", "group"), [(0o750, 0), (0o700, 1), (0o750, 59_999)])
def test_no_group_is_named_that_does_not_help(journal: Path, mode: int, group: int) -> None:
    """Nobody is to be sent into root's group."""
    os.chown(journal, 1, group)
    journal.chmod(mode)
    with as_nobody():
        assert unreadable(journal) == f"{journal}: may not be read by this user"


def test_what_is_ours_has_no_other_writer(journal: Path) -> None:
    assert writable(journal)
    assert other_writer(journal) is None


@needs_root
def test_the_service_writes_its_own_journal(journal: Path) -> None:
    os.chown(journal, 1, 1)
    assert other_writer(journal) is None, "root may write everywhere"
    with as_nobody():
        assert other_writer(journal) == "daemon"
        assert not writable(journal)
    journal.chmod(0o777)
    with as_nobody():
        assert other_writer(journal) is None, "may be written to by anybody"
    os.chown(journal, 0, 0)
    journal.chmod(0o755)
    with as_nobody():
        assert other_writer(journal) is None, "root runs no daemon there"
        assert not writable(journal)


def test_a_directory_is_in_use_while_another_process_locks_it(journal: Path) -> None:
    assert not in_use(journal)
    assert not in_use(journal / "missing")
    program = (
        "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDONLY);"
        "fcntl.flock(fd, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(journal)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert in_use(journal)
        assert not in_use(journal.parent)
        holder.communicate()
    assert not in_use(journal)


def test_looking_takes_no_lock(journal: Path) -> None:
    fd = os.open(journal, os.O_RDONLY)
    try:
        in_use(journal)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert in_use(journal)
    finally:
        os.close(fd)


def test_a_kernel_without_the_list_says_nothing(journal: Path, tmp_path: Path) -> None:
    assert not in_use(journal, tmp_path / "locks")
    (tmp_path / "locks").write_text("\ngarbage\n1: POSIX ADVISORY WRITE 7 00:00:1 0 EOF\n")
    assert not in_use(journal, tmp_path / "locks")
