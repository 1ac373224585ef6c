import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.dataset.sources import write_sources
from tools.dataset.folders import Folders


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Shared by all tests: never written to."""
    return write_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def own_folders(folders: Folders, tmp_path: Path) -> Folders:
    """A copy that a test may spoil."""
    shutil.copytree(folders.mnist.parent, tmp_path / "own")
    own = tmp_path / "own"
    return replace(folders, mnist=own / "mnist", fsdd=own / "fsdd", noise=own / "noise")
