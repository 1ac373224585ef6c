"""What other users may have left where a journal is to be, and what they may read of it."""

import os
import stat
from pathlib import Path

import pytest

from edge_daemon.journal import events
from edge_daemon.journal.files import JournalFiles
from edge_daemon.journal.reader import BadLine, newest_first, read
from edge_daemon.journal.rotation import ACTIVE
from edge_daemon.journal.writer import Journal

MIB = 1 << 20


@pytest.fixture
def no_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def write_one(directory: Path) -> Journal:
    journal = Journal(directory)
    journal.step()
    journal.write(events.Fault("capture", "a secret"))
    journal.stop()
    return journal


@pytest.mark.usefixtures("no_umask")
def test_a_journal_is_for_its_owner_and_group(tmp_path: Path) -> None:
    directory = tmp_path / "log/journal"
    write_one(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o750
    assert stat.S_IMODE((directory / ACTIVE).stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
def test_a_link_of_another_user_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"")
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / ACTIVE).symlink_to(target)
    os.chown(tmp_path / "journal" / ACTIVE, 54_321, -1, follow_symlinks=False)
    with pytest.raises(PermissionError, match="is a link that another user made; remove it"):
        JournalFiles(tmp_path / "journal", MIB, 2 * MIB).open()
    journal = write_one(tmp_path / "journal")
    assert (journal.waiting, target.read_bytes()) == (1, b"")
    (tmp_path / "journal" / ACTIVE).unlink()
    journal.stop()  # one last attempt
    assert journal.waiting == 0


def test_a_link_of_our_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / ACTIVE).symlink_to(tmp_path / "elsewhere.jsonl")
    write_one(tmp_path / "journal")
    assert b"a secret" in (tmp_path / "elsewhere.jsonl").read_bytes()


def test_a_pipe_in_the_place_of_a_journal_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ACTIVE)
    for reader in (read, newest_first):
        with pytest.raises(OSError, match="is no regular file"):
            list(reader(tmp_path))


def test_a_line_without_end_is_held_in_pieces_only(tmp_path: Path) -> None:
    """In one piece it would be copied anew for each 64 KiB of it."""
    write_one(tmp_path)
    (line,) = read(tmp_path)
    (tmp_path / ACTIVE).write_bytes(b"x" * 16 * MIB + b"\n" + line.raw + b"\n" + b"x" * 16 * MIB)
    bad: list[BadLine] = []
    assert [found.raw for found in newest_first(tmp_path, bad.append)] == [line.raw]
    assert sum(len(each.raw) for each in bad) == 16 * MIB
    assert max(len(each.raw) for each in bad) < 2 * MIB
