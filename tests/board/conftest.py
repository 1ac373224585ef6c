import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.board.board import Board
from tools.board import state
from tools.board.cache import Cache, default_directory


class Built(NamedTuple):
    """The parts of it that are always there."""

    board: Path
    kernel: Path


@pytest.fixture(scope="session")
def cache() -> Cache:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    return Cache(default_directory(os.environ), lambda _: None)


@pytest.fixture(scope="session")
def built(cache: Cache) -> Built:
    board, kernel = cache.newest("board"), cache.newest("kernel")
    if board is None or kernel is None:
        pytest.skip("no virtual board was built here: python -m tools.board build")
    return Built(board, kernel)


@pytest.fixture(scope="session")
def saved(cache: Cache) -> Path:
    """The board's saved state."""
    found = cache.newest("state")
    if found is None or not state.is_whole(found):
        pytest.skip("no virtual board was booted here: python -m tools.board build")
    return found


@pytest.fixture
def board(saved: Path, tmp_path: Path) -> Iterator[Board]:
    """A board of a test's own, whose camera and microphone deliver and whose daemon runs `high`."""
    with state.restore(saved, tmp_path) as machine:
        found = Board(machine)
        found.settle()
        yield found
