from pathlib import Path

import numpy as np
import pytest

from tests.tools.report.made import accuracy, write_lines
from tools.report.answers import read_answers
from tools.report.evaluations import read_evaluation
from tools.report.records import Line, RecordError, read_lines
from tools.report.trainings import read_training


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "teach.jsonl"
    path.write_text('{"event": "start"}\n{"event": "epo')
    assert [line.event for line in read_lines(path)] == ["start"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "teach.jsonl"
    path.write_text('{"event": "start"}\n{"event"\n{"event": "end"}\n')
    with pytest.raises(RecordError, match=r"teach\.jsonl:2: not JSON.*remove the line"):
        read_lines(path)


@pytest.mark.parametrize(
    ("value", "kind"), [("much", "a number"), (True, "a number"), (None, "no")]
)
def test_a_wrong_field_is_named(value: object, kind: str) -> None:
    line = Line("evaluate.jsonl:7", {"event": "cost", "bytes": value})
    with pytest.raises(RecordError, match=rf"evaluate\.jsonl:7: cost: .*{kind}.*run the command"):
        line.number("bytes")


def test_no_file_is_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "none.jsonl") == []
    assert read_evaluation(tmp_path / "none.jsonl") is None
    assert read_training(tmp_path / "none.jsonl") is None
    assert read_answers(tmp_path / "none.npz") == {}


def test_the_last_evaluation_counts(tmp_path: Path) -> None:
    path = tmp_path / "evaluate.jsonl"
    bundle = {"event": "bundle", "name": "digits", "version": "1", "runtime": "litert"}
    old = [accuracy("high", "live", 10, int8=0.5), accuracy("low", "live", 10, int8=0.5)]
    write_lines(path, [bundle, *old, bundle | {"version": "2"}])
    write_lines(path, [accuracy("high", "live", 10, int8=0.75)])
    found = read_evaluation(path)
    assert found is not None and found.bundle == "digits 2"
    assert {key: row.value for key, row in found.accuracies.items()} == {("high", "live"): 0.75}


def rounds(*numbers: int, stage: str = "students") -> list[dict[str, object]]:
    return [
        {"event": "round", "stage": stage, "round": number, "loss": {"task": 1.0}, "seconds": 2.0}
        for number in numbers
    ]


def test_rounds_done_again_after_a_kill_count_once(tmp_path: Path) -> None:
    path = tmp_path / "distil.jsonl"
    start: dict[str, object] = {"event": "start", "seed": 3, "plan": {"total": 14}}
    write_lines(path, [start, *rounds(1, 2, 3), start, *rounds(3, 4), *rounds(1, stage="tuned")])
    found = read_training(path)
    assert found is not None
    assert [(each.stage, each.number) for each in found.rounds] == [
        ("students", 1),
        ("students", 2),
        ("students", 3),
        ("students", 4),
        ("tuned", 1),
    ]
    assert (found.seconds, found.planned, found.finished) == (10.0, 14, False)


def test_a_training_ends_with_its_last_start(tmp_path: Path) -> None:
    path = tmp_path / "distil.jsonl"
    write_lines(path, [{"event": "start"}, *rounds(1), {"event": "end"}])
    ended = read_training(path)
    write_lines(path, [{"event": "start"}])
    again = read_training(path)
    assert ended is not None and ended.finished
    assert again is not None and not again.finished


def test_answers_without_their_groups_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.npz"
    np.savez(path, high_live=np.zeros(4, np.int64), labels_live=np.zeros(4, np.int64))
    with pytest.raises(RecordError, match=r"answers\.npz: high_live.*groups_high_live.*again"):
        read_answers(path)
    path.write_bytes(b"PK not a file of arrays")
    with pytest.raises(RecordError, match=r"answers\.npz: cannot be read"):
        read_answers(path)
