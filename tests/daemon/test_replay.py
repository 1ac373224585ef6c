"""Replay in, journal out: the whole daemon in a process of its own, in lockstep."""

import json
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.demo import CLIP
from tests.daemon.running import PATIENCE_S, Fields, command, lines, of, write_config
from tests.inference.test_bands import sliced

TRACE = [
    {"at_s": 0.0, "cpu_foreign": 0.1, "memory_available_mib": 400, "temperature_c": 45},
    {"at_s": 4.0, "cpu_foreign": 0.6},
    {"at_s": 7.0, "temperature_c": 75.5},
    {"at_s": 10.0, "memory_available_mib": 10},
    {"at_s": 12.0, "cpu_foreign": 0.1, "memory_available_mib": 400, "temperature_c": 45},
]


def replay(folder: Path, name: str, **sections: object) -> list[Fields]:
    trace = folder / "trace.jsonl"
    trace.write_text("".join(json.dumps(row) + "\n" for row in TRACE), encoding="utf-8")
    config = write_config(
        folder / f"{name}.yaml",
        **{
            "video": {"source": "replay"},
            "audio": {"source": "replay"},
            "replay": {
                "video": str(CLIP.video),
                "audio": str(CLIP.audio),
                "labels": str(CLIP.labels),
                "pace": "lockstep",
            },
            "governor": {
                "readings": str(trace),
                "reading_every_s": 5,
                "limits": {"poll_min_s": 0.5, "poll_max_s": 0.5, "up_after_s": 1.0},
            },
            **sections,
        },
    )
    done = subprocess.run(
        command("run", "--config", config, "--journal", folder / name),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return lines(folder / name)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> list[Fields]:
    return replay(tmp_path_factory.mktemp("replay"), "journal")


def test_every_line_follows_the_schema(
    journal: list[Fields], valid: Callable[[list[Fields]], None]
) -> None:
    valid(journal)


def test_lines_are_numbered_without_a_gap_from_start_to_stop(journal: list[Fields]) -> None:
    assert [line["seq"] for line in journal] == list(range(len(journal)))
    assert [line["event"] for line in journal].count("start") == 1
    assert (journal[0]["event"], journal[-1]["event"]) == ("start", "stop")
    assert journal[-1]["reason"] == "end of replay"


def test_it_passes_through_all_four_tiers_and_back(journal: list[Fields]) -> None:
    changes = of("tier_change", journal)
    assert [(change["from"], change["to"]) for change in changes] == [
        ("critical", "high"),
        ("high", "medium"),
        ("medium", "low"),
        ("low", "critical"),
        ("critical", "low"),
        ("low", "medium"),
        ("medium", "high"),
    ]
    assert [change["resource"] for change in changes[1:4]] == ["cpu", "temperature", "memory"]
    for change in changes:
        assert change["rule"]
        assert change["reason"]
        assert change["reading"]["memory_available_mib"] in (400, 10)
    for change in changes[4:6]:
        assert change["next_change_s"] == pytest.approx(1.0)


def test_each_prediction_comes_from_the_tier_that_runs(journal: list[Fields]) -> None:
    tier = journal[0]["tier"]
    for line in journal:
        if line["event"] == "tier_change":
            assert line["from"] == tier
            tier = line["to"]
        elif line["event"] == "prediction":
            assert line["tier"] == tier
            assert not (line["audio"] and tier in ("low", "critical"))


def test_no_window_is_lost(journal: list[Fields]) -> None:
    predictions = of("prediction", journal)
    assert [line["window"] for line in predictions] == list(range(len(predictions)))
    stop = journal[-1]
    assert stop["windows"] == stop["predictions"] == len(predictions)
    assert stop["lost_samples"] == 0
    assert stop["swaps"] == 7
    assert sum(stop["tier_s"].values()) == pytest.approx(stop["uptime_s"], abs=0.01)


def test_unchanged_windows_are_reused_and_counted(journal: list[Fields]) -> None:
    flags = [line["reused"] for line in of("prediction", journal)]
    assert journal[-1]["reused"] == flags.count(True) > 10
    after = [
        journal[number + 1] for number, line in enumerate(journal) if line["event"] == "tier_change"
    ]
    assert not any(line["reused"] for line in after if line["event"] == "prediction")
    assert not flags[0]


def test_reuse_can_be_turned_off_and_changes_hardly_an_answer(
    journal: list[Fields], tmp_path: Path
) -> None:
    found = replay(tmp_path, "off", window={"reuse": {"enabled": False}})
    assert found[-1]["reused"] == 0
    assert not any(line["reused"] for line in of("prediction", found))
    answers, reusing = (
        [(line["window"], line["label"]) for line in of("prediction", lines_)]
        for lines_ in (found, journal)
    )
    same = [one == other for one, other in zip(answers, reusing, strict=True)]
    assert same.count(True) > 0.97 * len(same)


def test_ages_and_skews_are_those_of_the_clip(journal: list[Fields]) -> None:
    """Pictures come every 67 ms; sound every 20 ms, 5 ms late from the resampler."""
    both = [line for line in of("prediction", journal) if line["skew_ms"] is not None]
    assert len(both) > 20
    assert all(-6 <= line["skew_ms"] <= 68 for line in both)
    assert max(line["skew_ms"] for line in both) > 20
    assert all(abs(line["skew_ms"]) <= line["age_ms"] <= 68 for line in both)


def test_it_knows_the_digits_of_the_clip(journal: list[Fields]) -> None:
    """Shown and said digits are recognised in most windows, in every tier, and never missed."""
    seen = of("prediction", journal)
    for digit in "0123456789":
        answers = [line["label"] for line in seen if line["truth"] == digit]
        assert answers.count(digit) > len(answers) / 2, f"{digit}: {answers}"
    blank = [line["label"] for line in seen if line["truth"] == ""]
    assert blank.count("unknown") > len(blank) / 2


def without_durations(line: Fields) -> Fields:
    kept: dict[str, Any] = {
        name: value
        for name, value in line.items()
        if not name.endswith("_ms") and name not in ("ts", "pid", "boot_id")
    }
    return kept


def test_the_same_input_gives_the_same_journal(journal: list[Fields], tmp_path: Path) -> None:
    again = replay(tmp_path, "again")
    assert list(map(without_durations, again)) == list(map(without_durations, journal))


def test_predictions_may_be_journalled_on_change_only(
    journal: list[Fields], tmp_path: Path
) -> None:
    found = replay(tmp_path, "change", prediction={"journal": "change"})
    said = [(line["label"], line["tier"]) for line in of("prediction", found)]
    assert said
    assert all(before != after for before, after in pairwise(said))
    assert len(said) < len(of("prediction", journal)) / 2
    assert found[-1]["predictions"] == journal[-1]["predictions"]


def test_tiers_may_listen_differently(journal: list[Fields], tmp_path: Path) -> None:
    """Medium hears fewer bands at another stride: each tier hears, and no sound is lost."""
    bundle = sliced(tmp_path / "sliced")
    found = replay(tmp_path, "bands", bundle=str(bundle.path))
    assert found[-1]["lost_samples"] == 0
    assert found[-1]["windows"] == found[-1]["predictions"] == journal[-1]["windows"]
    assert of("fault", found) == []
    for tier in ("medium", "high"):
        heard, as_shipped = (
            [line["audio"] for line in of("prediction", lines_) if line["tier"] == tier]
            for lines_ in (found, journal)
        )
        assert len(heard) == len(as_shipped)
        same = [one is other for one, other in zip(heard, as_shipped, strict=True)]
        assert same.count(True) > 0.8 * len(same)
        assert heard.count(True) > 5


def test_a_pinned_tier_stays_whatever_the_readings_say(tmp_path: Path) -> None:
    found = replay(tmp_path, "pinned", tier="low")
    assert found[0]["pinned"] is True
    assert [change["to"] for change in of("tier_change", found)] == ["low"]
    assert of("tier_change", found)[0]["resource"] == "pin"
    assert {line["tier"] for line in of("prediction", found)[5:]} == {"low"}
