"""Spoiled models: whatever they do to the child that opens them, the daemon goes on."""

from pathlib import Path

import pytest

from edge_daemon.inference.model_check import ModelCheckError, check_in_child
from tests.fuzz.amount import cases
from tests.fuzz.models import fates, write_mutants


def test_every_mutant_has_an_end_that_is_told(tmp_path: Path) -> None:
    files = write_mutants(tmp_path, cases(300), seed=3)
    found = fates(files)
    assert len(found) == len(files)
    assert {"runs", "refused"} <= set(found)
    assert "hangs" not in found
    deadly = [file for file, fate in zip(files, found, strict=True) if "killed" in fate]
    for file in deadly[:10]:
        with pytest.raises(ModelCheckError, match=rf"{file.name}: the process that tried it"):
            check_in_child([file], timeout_s=60.0)
