import json
import os
import time
from pathlib import Path

import pytest

from edge_daemon import exitcode
from edge_daemon.cli import main
from edge_daemon.clock import boottime_ns, monotonic_ns
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.events import Event, ReadingEvent, Stop
from edge_daemon.journal.writer import Journal
from edge_daemon.tier import Tier
from tests.daemon.running import write_config
from tests.journal import samples


def written(directory: Path, *events: Event) -> None:
    journal = Journal(directory)
    journal.open()
    for event in events:
        journal.write(event)
    journal.stop()


def now(tier: Tier, rule: str) -> ReadingEvent:
    reading = Reading(time_ns=boottime_ns(), cpu_foreign=0.2)
    return ReadingEvent(tier, reading, samples.HEADROOM, Decision(tier, tier, "", rule, "so it is"))


def test_it_explains_the_journal_of_a_daemon_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    written(tmp_path, samples.EVENTS[0], now(Tier.HIGH, "top"))
    assert main(["explain", str(tmp_path)]) == exitcode.OK
    out = capsys.readouterr().out
    assert out.startswith("high since ")
    assert "Now: so it is (rule top)." in out
    assert "As of 0 s ago." in out
    assert max(map(len, out.splitlines())) <= 70


def test_json_has_the_numbers_and_the_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = samples.EVENTS[-1]
    assert isinstance(stop, Stop)
    written(tmp_path, samples.EVENTS[0], now(Tier.HIGH, "top"), stop)
    assert main(["explain", "--json", str(tmp_path)]) == exitcode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["tier"], told["life"], told["stopped"]) == ("high", "stopped", "SIGTERM")
    assert told["decision"]["rule"] == "top"
    assert told["headroom"]["cpu"] == 0.3
    assert 0 <= told["age_s"] < 30
    assert told["since_s"] == pytest.approx(time.time(), abs=30)
    assert told["text"][0].startswith("high ran since")


def test_the_config_names_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "journal", samples.EVENTS[0], now(Tier.HIGH, "top"))
    config = write_config(
        tmp_path / "config.yaml", journal={"directory": str(tmp_path / "journal")}
    )
    assert main(["explain", "--config", str(config)]) == exitcode.OK
    assert capsys.readouterr().out.startswith("high since")


@pytest.mark.parametrize("what", ["missing", "empty", "no reading"])
def test_no_journal_is_one_line_of_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    directory = tmp_path / "journal"
    if what != "missing":
        directory.mkdir()
    if what == "no reading":
        written(directory, samples.prediction(1))
    assert main(["explain", str(directory)]) == exitcode.TROUBLE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"edge-daemon: {directory}: ")
    assert err.endswith("has the daemon run yet?\n")
    assert err.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_may_not_read_the_journal_is_told_the_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    journal = tmp_path / "journal"
    written(journal, samples.EVENTS[0], now(Tier.HIGH, "top"))
    os.chown(journal, 1, 1)
    os.setegid(65534)
    os.seteuid(65534)
    try:
        codes = [main(["explain", str(journal)]), main(["replay-governor", str(journal)])]
    finally:
        os.seteuid(0)
        os.setegid(0)
    assert codes == [exitcode.TROUBLE, exitcode.CONFIG]
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    for line in err.splitlines():
        assert line.startswith(
            f"edge-daemon: {journal}: may not be read by this user: sudo adduser"
        )
        assert "has the daemon run yet?" not in line


def test_the_clocks_are_those_of_the_journal() -> None:
    """`explain` compares a reading's time with CLOCK_BOOTTIME, and a line's with MONOTONIC."""
    assert boottime_ns() >= monotonic_ns() - 10**9
