from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.governor.apart import Board, board_of, readers
from tests.governor.driver import Driver, wait_for


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    wait_for(lambda: readers() == 0)
    driver = Driver(monkeypatch)
    yield driver
    driver.heal()


@pytest.fixture
def pi(tmp_path: Path, driver: Driver) -> Iterator[Board]:
    pi = Board(board_of(tmp_path, zones=3))
    yield pi
    driver.heal()
    pi.probes.close()
    wait_for(lambda: readers() == 0)
