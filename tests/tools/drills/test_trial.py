"""The judge, on programs that do one thing wrong."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tools.drills import fake
from tools.drills.outcome import Outcome
from tools.drills.program import Kind, Program, StartError
from tools.drills.trial import Trial, journal_says


def start(folder: Path, wrong: str, kind: Kind = "daemon") -> Program:
    file = folder / "lines.jsonl"
    command = [sys.executable, fake.__file__, str(file), wrong]
    return Program(kind, command, file, log=folder / "log", period_s=0.05)


def tried(folder: Path, wrong: str, *, kind: Kind = "daemon", **promises: Any) -> Outcome:
    """Try a program whose fault is over by the time that it shows."""
    with start(folder, wrong, kind) as program:
        program.settle(3)
        told = {"logged": "the disk fails", "reported": journal_says("no disk for")}
        promises = {**told, "silence_s": 0.7, **promises}
        trial = Trial("a drill", program, within_s=0.6, **promises)
        with trial.fault():
            program.go_on(1.2)
        return trial.end()


def test_what_keeps_every_promise_passes(tmp_path: Path) -> None:
    outcome = tried(tmp_path, "nothing")
    assert outcome.failures == ()
    assert outcome.verdict == "passed"
    assert outcome.reported_s is not None
    assert outcome.recovered_s is not None
    assert outcome.lost_lines == 0


@pytest.mark.parametrize(
    ("wrong", "failure"),
    [
        ("unreported", "nothing was reported"),
        ("unsaid", "nothing was reported"),
        ("silent", "s without an answer"),
        ("torn", "1 lines lost or torn"),
        ("skipped number", "1 lines lost or torn"),
        ("lost", "2 lines lost or torn"),
        ("no stop", "there is no stop line"),
        ("dies", "it ended by itself"),
        ("traceback", "1 tracebacks"),
        ("exit code", "gave exit code 3"),
    ],
)
def test_what_breaks_a_promise_fails_for_it(tmp_path: Path, wrong: str, failure: str) -> None:
    outcome = tried(tmp_path, wrong)
    assert outcome.verdict == "failed"
    assert any(failure in text for text in outcome.failures), outcome.failures


def test_a_loop_may_stand_still_where_the_drill_holds_it(tmp_path: Path) -> None:
    assert tried(tmp_path, "stood still", stands_s=3.5).verdict == "passed"


def test_a_loop_that_stood_still_is_seen_where_silence_is_not_looked_at(tmp_path: Path) -> None:
    outcome = tried(tmp_path, "stood still", silence_s=None)
    assert outcome.failures == ("the loop stood still for 3.0 s",)


def test_the_words_of_the_fault_are_looked_at(tmp_path: Path) -> None:
    outcome = tried(tmp_path, "nothing", reported=journal_says("quick again"))
    assert outcome.failures == ("nothing was reported",)


def test_lines_may_be_lost_where_the_journal_counts_them(tmp_path: Path) -> None:
    assert tried(tmp_path, "counted", lines_lost=2).verdict == "passed"


def test_lines_that_the_journal_does_not_count_may_not_be_lost(tmp_path: Path) -> None:
    outcome = tried(tmp_path, "lost", lines_lost=2)
    assert outcome.failures == ("2 lines lost, the journal says 0",)


def test_the_journal_may_not_count_what_is_there(tmp_path: Path) -> None:
    outcome = tried(tmp_path, "overcounted")
    assert outcome.failures == ("0 lines lost, the journal says 9",)


def test_a_recovery_that_does_not_come_is_a_failure(tmp_path: Path) -> None:
    outcome = tried(tmp_path, "nothing", recovered=lambda line: line.event == "never")
    assert outcome.recovered_s is None
    assert any("recovered after never" in text for text in outcome.failures)


def test_the_script_is_measured_and_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.drills.trial.SCRIPT_WATCH_S", 1.0)
    outcome = tried(tmp_path, "dies", kind="script")
    assert outcome.verdict == "measured"
    assert outcome.failures == ()
    assert outcome.reported_s is not None  # its traceback
    assert outcome.recovered_s is None
    assert outcome.lost_windows is not None
    assert outcome.lost_windows > 10
    assert "ValueError: of a bug" in outcome.note


def test_a_program_that_never_answers_is_no_drill(tmp_path: Path) -> None:
    program = Program(
        "daemon",
        [sys.executable, "-c", "import sys; sys.exit('no camera')"],
        tmp_path / "lines.jsonl",
        log=tmp_path / "log",
        period_s=0.05,
    )
    with pytest.raises(StartError, match="no camera"):
        program.settle()
    assert (tmp_path / "log").read_text() == "no camera\n"
