import argparse
from pathlib import Path

import pytest

from tools.dataset import DatasetError, Split
from tools.make_shapes import LABELS, write_shapes
from tools.sources import OPTIONS_FILE, Sources, add_arguments, sources_from
from tools.tasks import add_task_arguments, task_from


def parsed(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    add_task_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_shapes(Path("shapes"), each=3)


def test_own_files_have_their_labels_whatever_the_protocol(csv: Path) -> None:
    sources = sources_from(parsed("--csv", csv, "--samples", 1, "--run", "r"))
    splits: tuple[Split, ...] = ("train", "validation_last", "test")
    parts = [sources.load("own", split) for split in splits]
    assert [part.labels for part in parts] == [LABELS] * 3
    assert [len(part.pictures.labels) for part in parts] == [3, 3, 3]
    narrow = sources.load("own", "test", bands=(4, 30))
    assert narrow.sounds.columns.shape[1:] == (64, 26)


def test_a_run_keeps_its_options(csv: Path) -> None:
    words = ["--csv", csv, "--samples", 1, "--run", "r"]
    sources_from(parsed(*words, "--contrast", "ink")).load("own", "train")
    sources_from(parsed(*words, "--contrast", "ink"))
    with pytest.raises(DatasetError, match=r"r/data\.json: .*begun with --contrast ink; give"):
        sources_from(parsed(*words))
    with pytest.raises(DatasetError, match="--samples 1; "):
        sources_from(parsed("--csv", csv, "--run", "r", "--contrast", "ink"))
    sources_from(parsed("--csv", csv, "--run", "another"))


def test_what_failed_is_not_kept(csv: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        sources_from(parsed("--csv", "no.csv", "--run", "r")).load("own", "train")
    assert not Path("r", OPTIONS_FILE).exists()
    sources_from(parsed("--csv", csv, "--samples", 1, "--run", "r")).load("own", "train")
    assert Path("r", OPTIONS_FILE).exists()


@pytest.mark.parametrize(
    ("words", "task", "run"),
    [
        (["--csv", "a.csv"], "own", Path("runs/own")),
        (["--csv", "a.csv", "--run", "mine"], "own", Path("mine")),
        (["--data", "d"], "live", Path("runs/live")),
        (["--data", "d", "--task", "hard"], "hard", Path("runs/hard")),
        (["--smoke"], "live", Path("runs/smoke")),
    ],
)
def test_the_task_follows_from_the_data(words: list[str], task: str, run: Path) -> None:
    found, directory = task_from(parsed(*words))
    assert (found.name, directory) == (task, run)


@pytest.mark.parametrize(
    "words", [["--csv", "a.csv", "--task", "live"], ["--data", "d", "--task", "own"]]
)
def test_a_task_for_other_data_is_refused(words: list[str]) -> None:
    with pytest.raises(DatasetError, match=r"--task (live|own): is for --"):
        task_from(parsed(*words))


def test_generated_data_need_no_files() -> None:
    assert Sources(None).load("clean", "test").labels == tuple("0123456789")
