from pathlib import Path

import pytest

from edge_daemon.capture.labels import Labels, load_labels
from edge_daemon.capture.source import SourceError

S = 1_000_000_000


def write(directory: Path, text: str) -> Path:
    path = directory / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_label_holds_until_the_next(tmp_path: Path) -> None:
    labels = load_labels(write(tmp_path, "start_s,label\n0.5,3\n1.25,\n2,seven\n"))
    assert labels.at(0) is None
    assert labels.at(S // 2 - 1) is None
    assert labels.at(S // 2) == "3"
    assert labels.at(5 * S // 4) == ""
    assert labels.at(2 * S) == "seven"
    assert labels.at(1000 * S) == "seven"


def test_no_labels_know_nothing() -> None:
    assert Labels().at(0) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("start_s,label\n0,1\nx,2\n", "line 3"),
        ("start_s,label\n1,1\n1,2\n", "line 3"),
        ("start_s,label\n-1,1\n", "line 2"),
        ("start_s,label\nnan,1\n", "line 2"),
        ("start_s,label\ninf,1\n", "line 2"),
        ("time,label\n0,1\n", "first line"),
        ("", "first line"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(SourceError, match=line) as caught:
        load_labels(write(tmp_path, text))
    assert "labels.csv" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv"):
        load_labels(tmp_path / "none.csv")
