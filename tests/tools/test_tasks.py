from argparse import ArgumentParser
from pathlib import Path

import pytest

from tools.dataset import DatasetError
from tools.sources import add_arguments
from tools.tasks import TASKS, Task, add_task_arguments, task_from


def parsed(*words: str) -> tuple[Task, Path]:
    parser = ArgumentParser()
    add_arguments(parser)
    add_task_arguments(parser)
    return task_from(parser.parse_args(words))


@pytest.mark.parametrize(
    ("words", "name", "directory"),
    [
        (("--data", "d"), "live", "runs/live"),
        (("--data", "d", "--task", "hard"), "hard", "runs/hard"),
        (("--data", "d", "--run", "elsewhere"), "live", "elsewhere"),
        (("--csv", "t.csv"), "own", "runs/own"),
        # Generated data must not get among real models.
        (("--smoke",), "live", "runs/smoke"),
        (("--smoke", "--task", "hard"), "hard", "runs/smoke"),
        (("--smoke", "--run", "elsewhere"), "live", "elsewhere"),
    ],
)
def test_a_task_has_a_directory(words: tuple[str, ...], name: str, directory: str) -> None:
    assert parsed(*words) == (TASKS[name], Path(directory))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--csv", "t.csv", "--task", "live"), "--task live: is for --data; leave it out"),
        (("--data", "d", "--task", "own"), "--task own: is for --csv; name another"),
    ],
)
def test_a_task_for_other_data_is_refused(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(DatasetError, match=text):
        parsed(*words)
