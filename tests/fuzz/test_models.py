"""Spoiled models: whatever they do to the child that opens them, the daemon goes on."""

import subprocess
import sys
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


def test_what_passes_the_check_bears_every_input(tmp_path: Path) -> None:
    # A manifest that fits a spoiled model lets it into the daemon's own process.
    files = write_mutants(tmp_path, cases(300), seed=4)
    passed = [str(file) for file, fate in zip(files, fates(files), strict=True) if fate == "runs"]
    assert len(passed) > len(files) // 10
    command = [sys.executable, "-m", "tests.fuzz.inputs", *passed]
    child = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    borne = [line for line in child.stdout.splitlines() if line in passed]
    assert (child.returncode, len(borne)) == (0, len(passed)), child.stderr[-500:]
