"""Drills as they are listed, chosen and run."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.drills import faults
from tools.drills.catalogue import FAULTS, name_of, phrase_of
from tools.drills.fault import Fault
from tools.drills.faults import labels_wrong, reload_bad
from tools.drills.needs import SkipError
from tools.drills.outcome import Outcome
from tools.drills.program import StartError
from tools.drills.run import run_drill
from tools.drills.stage import ROOT, Stage


class _Made:
    """A drill that only raises."""

    COUNTERPART = True

    def __init__(self, error: Exception) -> None:
        self.__name__ = "tools.drills.faults.made"
        self._error = error

    def run(self, stage: Stage) -> Outcome:
        raise self._error


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.drills", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
    )


def test_every_file_of_faults_is_run_and_says_what_happens() -> None:
    files = {module.name for module in pkgutil.iter_modules(faults.__path__)}
    assert sorted(map(name_of, FAULTS)) == sorted(files)
    for fault in FAULTS:
        assert phrase_of(fault).endswith(".")
        assert fault.run.__doc__


def test_they_are_listed() -> None:
    done = command("--list")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(FAULTS)


def test_an_unknown_name_is_refused_before_anything_runs() -> None:
    done = command("disk_ful")
    assert done.returncode == 2
    assert "no drill is called disk_ful" in done.stderr


@pytest.mark.parametrize(
    ("error", "verdict"), [(SkipError("needs a disk"), "skipped"), (StartError("dead"), "failed")]
)
def test_what_cannot_run_is_an_outcome_too(error: Exception, verdict: str) -> None:
    fault: Fault = _Made(error)
    outcome = run_drill(fault, "daemon", rounds=1)
    assert outcome.verdict == verdict
    assert str(error) in (outcome.note, *outcome.failures)


def test_what_has_no_counterpart_is_not_tried_on_the_script() -> None:
    assert run_drill(labels_wrong, "script", rounds=1).verdict == "skipped"


def test_a_drill_of_the_real_daemon_leaves_its_journal_and_log(tmp_path: Path) -> None:
    outcome = run_drill(reload_bad, "daemon", rounds=1, keep=tmp_path)
    assert outcome.failures == ()
    assert outcome.verdict == "passed"
    journal = tmp_path / "reload_bad-daemon" / "journal" / "journal.jsonl"
    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    assert events[0] == "start"
    assert events[-1] == "stop"
    assert "is not a key" in (tmp_path / "reload_bad-daemon" / "stderr.log").read_text()
