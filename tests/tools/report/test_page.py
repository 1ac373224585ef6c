"""The whole page, made from made-up runs whose differences are known."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.report.document import Document
from tests.tools.report.made import RIVALS, make_method, make_runs, make_training
from tools.report.__main__ import main
from tools.report.page import page
from tools.report.runs import load_runs

PAIRS = 2000
ODD = "a<b&c"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two tasks: one without a baseline, one with a training that goes on."""
    root = make_runs(tmp_path_factory.mktemp("runs"), PAIRS, tasks=("published", "hard"))
    shutil.rmtree(root / "published" / "pretext")
    shutil.rmtree(root / "hard")
    make_training(root / "hard" / "ra_cmkd", "hard", "ra_cmkd", rounds=5, ends=False)
    make_method(root, "published", ODD, PAIRS)
    return root


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return page(load_runs(root), {"machine": "x<86"})


@pytest.fixture(scope="module")
def document(text: str) -> Document:
    return Document(text)


DIFFERENCES = "on published: difference from RA-CMKD in points"


@pytest.mark.parametrize(
    ("method", "name", "verdict"),
    [
        ("labels", "labels only", "worse"),
        ("transfer", "supervision transfer", "worse"),
        ("transport", "EMD-KD", "better"),
        ("experts", "product of experts", "no difference shown"),
        ("ra_cmkd_without_conditioning", "without conditioning on R", "no difference shown"),
        ("ra_cmkd_without_alignment", "without alignment", "worse"),
    ],
)
def test_known_differences_appear_with_sign_and_verdict(
    document: Document, method: str, name: str, verdict: str
) -> None:
    tables = [rows for caption, rows in document.tables.items() if caption.endswith(DIFFERENCES)]
    (row,) = [row for rows in tables for row in rows if row[0] == name]
    gain = 100.0 * RIVALS[method].gain
    for cell in row[1:]:
        value = float(cell.split()[0].replace("−", "-"))
        assert value == pytest.approx(gain, abs=0.006)
        assert cell.endswith(verdict)


def test_a_better_baseline_is_said_in_words(document: Document) -> None:
    assert re.search(r"Better than RA-CMKD: EMD-KD in high by 0\.60 points \(0\.\d", document.text)
    assert re.search(r"it is beaten by EMD-KD in high, medium, low and critical", document.text)
    assert "No difference shown: product of experts in high, medium" in document.text


def test_goals_are_judged(document: Document) -> None:
    caption = "Accuracy and retention on published, per cent"
    high, low = document.row(caption, "high"), document.row(caption, "low")
    assert high[1:5] == ["92.3", "96.0", "96.30 95.90–96.70", "met, narrowly"]
    assert high[5:] == ["", "99.1", "97.4", "above"]
    assert low[3:6] == ["84.30 83.90–84.70", "missed, narrowly", "84.80"]
    assert low[6:] == ["86.7", "89.9", "out of a picture's reach"]
    assert document.row("Size of the model files", "published")[-2:] == ["119.0\u00a0kB", "met"]


def test_reductions_are_shares_of_the_teacher(document: Document) -> None:
    row = document.row("High against our own teacher, saved in per cent", "published")
    assert [cell.split()[0] for cell in row[1:]] == ["96.5", "81.5", "89.6"]
    assert all(cell.endswith("met") for cell in row[1:])
    reference = document.row("The published teacher and our high", "high, published")
    assert "99.98\u00a0% less" in reference[1]
    assert "2.96" in reference[3]  # two operations for each multiply-accumulate


def test_what_is_missing_is_named(document: Document) -> None:
    assert "Still without figures on published: not run: self-supervised." in document.text
    assert "RA-CMKD (training, round 5 of 14)" in document.text
    assert "Tasks not begun: clean and live." in document.text
    assert "hard: nothing was evaluated yet." in document.text


def test_the_extras_are_there(document: Document) -> None:
    speakers = document.tables["Speakers left out, clean, per cent"]
    assert speakers[1] == ["full", "93.00", "88.00", "95.00", "92.00", "met"]
    (gating,) = [rows for caption, rows in document.tables.items() if "Windows reused" in caption]
    assert gating[2][:4] == ["high", "0.1", "0.01", "61.0"]
    (precision,) = [rows for caption, rows in document.tables.items() if "Precisions" in caption]
    assert precision[2][-2:] == ["95.0\u00a0µs without XNNPACK", "does not run"]
    (choice,) = [rows for caption, rows in document.tables.items() if "Candidates" in caption]
    assert choice[1][-1] == "exceeds its budget of bytes"
    shapes = document.tables["Channels of every layer, stem first"]
    assert shapes[1][4] == "2–34 of 0–40: 80 %"


def test_odd_names_are_escaped(text: str, document: Document) -> None:
    assert ODD not in text
    assert ODD in document.text
    assert "x<86" in document.text


def test_the_page_loads_nothing(text: str, document: Document) -> None:
    assert document.loads == []
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", text)
    assert all(link.startswith("#") for link in document.links)


def test_identifiers_are_unique_and_links_lead_somewhere(document: Document) -> None:
    assert len(document.identifiers) == len(set(document.identifiers))
    assert {link[1:] for link in document.links} <= set(document.identifiers)


def test_answers_to_other_pairs_are_not_compared(tmp_path: Path) -> None:
    for method, pairs in (("ra_cmkd", 400), ("labels", 600)):
        make_method(tmp_path, "published", method, pairs)
    document = Document(page(load_runs(tmp_path), {}))
    assert "differences are not shown" in document.text
    assert not any(caption.endswith(DIFFERENCES) for caption in document.tables)


def test_the_same_records_give_the_same_page(tmp_path: Path) -> None:
    make_method(tmp_path, "published", "ra_cmkd", 400)
    make_method(tmp_path, "published", "labels", 400)
    first, second = (page(load_runs(tmp_path), {}) for _ in range(2))
    assert first == second


def test_no_run_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.html"
    assert main(["--runs", str(tmp_path), "--out", str(out)]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"{tmp_path}: no runs;") and message.count("\n") == 1
    assert not out.exists()


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    make_training(tmp_path / "hard" / "labels", "hard", "labels", rounds=2, ends=False)
    out = tmp_path / "pages" / "report.html"
    command = [sys.executable, "-m", "tools.report", "--runs", str(tmp_path), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    document = Document(out.read_text(encoding="utf-8"))
    assert "labels only (training, round 2 of 14)" in document.text
    assert "No student has been evaluated yet." in document.text
