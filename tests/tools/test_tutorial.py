"""The commands of docs/tutorial.md, as they stand on the page."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from edge_daemon.cli import main as edge_daemon
from tools.make_shapes import write_shapes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
COMMANDS = [
    command
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    for command in block.splitlines()
]
TOOLS = [shlex.split(command) for command in COMMANDS if command.startswith("python -m tools.")]
DAEMON = [shlex.split(command) for command in COMMANDS if command.startswith("edge-daemon ")]


def stage(words: list[str]) -> str:
    return words[2].removeprefix("tools.")


def test_the_page_goes_from_files_to_a_running_daemon() -> None:
    assert [stage(words) for words in TOOLS] == [
        "make_shapes",
        "teach",
        "distil",
        "convert",
        "evaluate",
        "make_replay",
    ]
    assert [words[1] for words in DAEMON] == ["bundle", "check", "run", "tail"]
    assert len(COMMANDS) == len(TOOLS) + len(DAEMON)


def test_the_example_is_the_table_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    importlib.import_module("tools.make_shapes").main([*TOOLS[0][3:], "--each", "2"])
    table = Path(TOOLS[1][TOOLS[1].index("--csv") + 1])
    lines = table.read_text(encoding="utf-8").splitlines()
    assert "\n".join(lines[:4]) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("words", TOOLS[1:], ids=stage)
def test_every_command_takes_its_options_and_says_what_is_missing(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In an empty directory, where options that do not exist would give exit code 2."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        raise SystemExit(importlib.import_module(words[2]).main(words[3:]))
    assert stopped.value.code == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "shapes/data.csv: cannot be read" in said or "run `python -m tools." in said


@pytest.mark.parametrize("words", DAEMON, ids=lambda words: words[1])
def test_the_daemons_commands_take_their_options(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert edge_daemon(words[1:]) in (1, 78)  # what is named is not there
    assert "runs/shapes/replay" in (said := capsys.readouterr().err) or "models/shapes" in said


def test_problems_are_worded_as_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.dataset.folders import DatasetError
    from tools.dataset.table import read_table

    monkeypatch.chdir(tmp_path)
    write_shapes(tmp_path, each=1)
    table = Path("data.csv")
    table.write_text("image,label\ncircle_00.jpg,cup\ncups/two.jpg,Cup\n")
    with pytest.raises(DatasetError) as caught:
        read_table(table)
    for text in str(caught.value).splitlines():
        words = text.partition(": ")[2]
        if "does not exist" in words or "write it in one way" in words:
            assert words in PAGE.read_text(encoding="utf-8"), words
