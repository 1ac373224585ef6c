import json
import os
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_daemon import exitcode
from edge_daemon.cli import main
from edge_daemon.clock import boottime_ns, monotonic_ns
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.policy import decide
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.journal.events import Event, ReadingEvent, Stop
from edge_daemon.journal.writer import Journal
from edge_daemon.tier import Tier
from tests.daemon.running import write_config
from tests.governor.test_policy import GOOD
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


@pytest.mark.parametrize(
    ("change", "tier", "text"),
    [
        (
            {"sound": False, "cpu_foreign": 0.65},
            Tier.LOW,
            "A move up needs: foreign CPU load is 65 % and must be at most 60 % for medium. "
            "It also waits until sound arrives.",
        ),
        (
            {"throttled": ("under-voltage",)},
            Tier.CRITICAL,
            "A move up waits until the firmware no longer reports under-voltage.",
        ),
        (
            {"failed": {"temperature": "EIO"}, "temperature_c": None, "memory_available_mib": 35.0},
            Tier.LOW,
            "A move up needs: available memory is 35 MiB and must be at least 60 MiB for medium. "
            "It also waits until temperature can be read again.",
        ),
        ({"cpu_foreign": 0.2}, Tier.LOW, "Earliest move up: "),
    ],
)
def test_it_says_what_a_move_up_takes_and_its_earliest_time(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, object],
    tier: Tier,
    text: str,
) -> None:
    reading = replace(GOOD, time_ns=boottime_ns(), **change)
    _, decision = decide(PolicyState(Tier.LOW), reading, PUBLISHED, Limits())
    written(tmp_path, samples.EVENTS[0], ReadingEvent(tier, reading, samples.HEADROOM, decision))
    assert main(["explain", "--json", str(tmp_path)]) == exitcode.OK
    told = json.loads(capsys.readouterr().out)
    (way,) = [one for one in told["text"] if one.startswith(text)]
    assert told["next_up_in_s"] == pytest.approx(10.0, abs=3.0)
    assert f", in {told['next_up_in_s']:.0f} s" in way


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
    # What is imported late is imported now: somebody else may not read it all either.
    main(["explain", str(journal)])
    main(["replay-governor", str(tmp_path / "none")])
    capsys.readouterr()
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
