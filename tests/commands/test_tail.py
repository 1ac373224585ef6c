import argparse
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.commands import tail
from edge_daemon.journal.rotation import ACTIVE
from edge_daemon.journal.writer import Journal
from tests.journal import samples
from tests.journal.samples import prediction

PROGRAM = """
import argparse, sys
from edge_daemon.commands import tail
parser = argparse.ArgumentParser()
tail.add_arguments(parser)
sys.exit(tail.run(parser.parse_args()))
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path, max_file_bytes=16 * 1024, max_total_bytes=1024 * 1024)
    made.open()
    for event in samples.EVENTS:
        made.write(event)
    for number in range(100):
        made.write(prediction(number))
    made.step()
    yield made
    made.stop()


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    tail.add_arguments(parser)
    return tail.run(parser.parse_args([str(argument) for argument in arguments]))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[str]:
    assert run(*arguments) == 0
    return capsys.readouterr().out.splitlines()


def test_the_last_lines_under_their_date(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    heading, *lines = printed(capsys, "-n", "3", journal.directory)
    assert heading.startswith("── ")
    assert [line.split()[-1] for line in lines] == ["97", "98", "99"]
    assert "\x1b" not in heading


def test_only_the_events_asked_for(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "-e", "fault", "--event", "tier_change", journal.directory)
    kinds = [line[14:24].strip() for line in shown[1:] if line[0] != " "]
    assert kinds == ["▼ low", "fault"]


def test_json_gives_the_bytes_of_the_journal(journal: Journal) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--json", "-n", "1000", str(journal.directory)],
        capture_output=True,
        check=True,
    )
    files = [*sorted(journal.directory.glob("journal-*")), journal.directory / ACTIVE]
    assert len(files) > 1
    assert ran.stdout == b"".join(path.read_bytes() for path in files)


def test_one_file(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "-n", "2", journal.directory / "journal-000000000000.jsonl")
    assert len(shown) == 3


def test_a_bad_line_goes_to_standard_error(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    with (journal.directory / ACTIVE).open("a") as file:
        file.write("not a line\n")
    assert run("-n", "1", journal.directory) == 0
    out, err = capsys.readouterr()
    assert "journal.jsonl: byte " in err
    assert "not a line" not in out


def test_a_directory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--no-follow", tmp_path / "none") == 1
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["-n", "-1"], ["-n", "few"], ["--event", "eclipse"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)
    assert capsys.readouterr().err


def test_the_config_names_the_directory(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"journal:\n  directory: {journal.directory}\n")
    for option in ("-c", "--config"):
        assert len(printed(capsys, option, config, "-n", "4")) == 5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_may_not_read_the_journal_is_told_the_group(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for directory in tmp_path.parents[:2]:
        directory.chmod(0o755)
    tmp_path.chmod(0o750)
    os.chown(journal.directory, 1, 1)
    printed(capsys, journal.directory)  # what is imported late is imported now
    os.setegid(65534)
    os.seteuid(65534)
    try:
        codes = [run(option, journal.directory) for option in ("--no-follow", "--follow")]
    finally:
        os.seteuid(0)
        os.setegid(0)
    assert codes == [1, 1]
    out, err = capsys.readouterr()
    assert out == ""
    refused = f"edge-daemon: {tmp_path}: may not be read by this user: sudo adduser "
    assert [line.startswith(refused) for line in err.splitlines()] == [True, True]


def test_it_follows_until_interrupted_and_says_nothing_then(journal: Journal) -> None:
    command = [sys.executable, "-c", PROGRAM, "-n", "1", "--follow", str(journal.directory)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()  # the date
        assert process.stdout.readline().split()[-1] == "99"
        for number in range(100, 200):
            journal.write(prediction(number))
        journal.step()
        seen = [process.stdout.readline().split()[-1] for _ in range(100)]
        assert seen == [str(number) for number in range(100, 200)]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == ""


def test_a_reader_that_leaves_ends_it_quietly(journal: Journal) -> None:
    for number in range(3000):
        journal.write(prediction(number))
        journal.step()
    command = [sys.executable, "-c", PROGRAM, "-n", "3000", str(journal.directory)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_on_a_terminal_unless_it_is_not_wanted(
    journal: Journal, extra: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", **extra}
    if not extra.get("NO_COLOR"):
        environ.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "-n", "1", "--no-follow", str(journal.directory)],
        stdout=theirs,
        env=environ,
    )
    os.close(theirs)
    shown = bytearray()
    reader = threading.Thread(target=_read_all, args=(ours, shown))
    reader.start()
    assert process.wait(20) == 0
    reader.join(5)
    os.close(ours)
    assert (b"\x1b[" in shown) == coloured
    assert b"seven" in shown


def _read_all(fd: int, into: bytearray) -> None:
    try:
        while data := os.read(fd, 4096):
            into += data
    except OSError:  # EIO: the other end was closed
        pass
