"""Outcomes as text."""

import json

from tools.drills.outcome import Outcome
from tools.drills.table import NO_COUNTERPART, json_lines, markdown, sentence

PASSED = Outcome("disk_full", "daemon", "passed", 0.5, 0.04, 0.1, 0, 0)
DIED = Outcome("disk_full", "script", "measured", 0.7, None, 11.4, 227, 1, note="ended with 1")
SKIPPED = Outcome("killed", "daemon", "skipped", note="needs root")
FAILED = Outcome("hung", "daemon", "failed", None, None, 3.0, 60, 0, failures=("it hung",))
QUIET = Outcome("slow", "daemon", "passed", None, 0.0, 0.1, 0, 0, quiet=True)
PHRASES = {"disk_full": "The disk is full.", "other": "Not drilled."}


def test_a_row_has_the_daemon_and_the_script() -> None:
    table = markdown([PASSED, DIED], PHRASES).splitlines()
    assert [cell.strip() for cell in table[2].strip("|").split("|")] == [
        "disk_full",
        *("0.5 s", "0.0 s", "0.1 s", "0", "0"),
        *("0.7 s", "never", "11.4 s", "227", "1"),
    ]
    assert len({line.count("|") for line in table[:3]}) == 1
    assert "- `disk_full`: The disk is full." in table
    assert "- disk_full, script: ended with 1" in table
    assert not any("Not drilled" in line for line in table)


def test_the_sdk_has_a_table_of_its_own() -> None:
    spins = Outcome("camera_dies", "sdk", "measured", None, None, 9.0, 180, 0)
    deaf = Outcome("sound_killed", "sdk", "skipped", note="hears nothing")
    text = markdown([PASSED, DIED, spins, deaf], {})
    assert "| SDK: drill | reported | recovered |" in text
    assert "| camera_dies | never | never | 9.0 s | 180 | 0 |" in text
    assert "hears nothing" not in text
    assert text.count("| disk_full |") == 1


def test_without_the_script_it_has_no_columns() -> None:
    table = markdown([PASSED], PHRASES).splitlines()
    assert table[2] == "| disk_full | 0.5 s | 0.0 s | 0.1 s | 0 | 0 |"


def test_what_was_skipped_or_failed_is_said() -> None:
    text = markdown([SKIPPED, FAILED, QUIET], {})
    assert "| killed | – | – | – | – | – |" in text
    assert "- killed: needs root" in text
    assert "| hung | never | never | 3.0 s | 60 | 0 |" in text
    assert "- **hung failed**: it hung" in text
    assert "| slow | – | 0.0 s | 0.1 s | 0 | 0 |" in text


def test_having_no_counterpart_needs_no_note() -> None:
    text = markdown([PASSED, Outcome("disk_full", "script", "skipped", note=NO_COUNTERPART)], {})
    assert NO_COUNTERPART not in text


def test_an_outcome_is_one_line_and_its_failures_follow() -> None:
    assert sentence(FAILED).splitlines()[1:] == ["    it hung"]
    assert "needs root" in sentence(SKIPPED)
    assert "reported" not in sentence(QUIET)


def test_json_lines_hold_everything() -> None:
    lines = [json.loads(line) for line in json_lines([PASSED, DIED]).splitlines()]
    assert lines[0]["recovered_s"] == 0.04
    assert lines[1]["recovered_s"] is None
    assert Outcome(**{**lines[1], "failures": tuple(lines[1]["failures"])}) == DIED
