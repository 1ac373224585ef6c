import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.board import Board
from tools.board import state
from tools.board.cache import Cache, default_directory


class Built:
    """The parts that `python -m tools.board build` made."""

    def __init__(self, board: Path, kernel: Path, saved: Path) -> None:
        self.board, self.kernel, self.saved = board, kernel, saved


@pytest.fixture(scope="session")
def built() -> Built:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    cache = Cache(default_directory(os.environ), lambda _: None)
    parts = [cache.newest(name) for name in ("board", "kernel", "state")]
    match parts:
        case [Path() as board, Path() as kernel, Path() as saved]:
            return Built(board, kernel, saved)
    pytest.skip("no virtual board was built here: python -m tools.board build")


@pytest.fixture
def board(built: Built, tmp_path: Path) -> Iterator[Board]:
    """A board of a test's own, whose camera and microphone deliver and whose daemon runs `high`."""
    with state.restore(built.saved, built.board, built.kernel, tmp_path) as machine:
        found = Board(machine)
        found.settle()
        yield found
