"""The daemon's programs on another processor, one by one, without a machine around them."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.inference.bundle import load_bundle
from tests.board.conftest import Built
from tools.board import emulation, outputs

SLOT = "/opt/edge-daemon.a"
PYTHON = f"{SLOT}/bin/python"
BUNDLE = f"{SLOT}/lib/python3.11/site-packages/edge_daemon/models/avdigits"

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def root(built: Built) -> Path:
    emulation.ensure()
    return built.board / "root"


def here_and_there(root: Path, theirs: str) -> tuple[list[list[int]], list[list[int]]]:
    """Return what the models of a board give out here, and what its own run of them printed."""
    # Its own copy of the bundle: the checkout's may be another one by now.
    here = outputs.outputs(load_bundle(root / BUNDLE.lstrip("/")))
    return rows_of(here), rows_of(json.loads(theirs))


def rows_of(found: outputs.Outputs) -> list[list[int]]:
    return [row for tier in found.values() for rows in tier.values() for row in rows]


def largest_difference(here: list[list[int]], there: list[list[int]]) -> int:
    rows = zip(here, there, strict=True)
    return max(abs(a - b) for row in rows for a, b in zip(*row, strict=True))


@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "cortex-a76"])  # Raspberry Pi 3, 4, 5
def test_every_model_gives_the_numbers_that_it_gives_here(root: Path, cpu: str) -> None:
    program = Path(outputs.__file__).read_text(encoding="utf-8")
    printed = emulation.enter(root, PYTHON, "-c", program, BUNDLE, cpu=cpu)
    here, there = here_and_there(root, printed)
    assert len(here) == 4 * outputs.INPUTS
    assert largest_difference(here, there) <= 1
    assert len({tuple(row) for row in here}) > 3 * outputs.INPUTS  # the inputs make a difference


def test_the_bundle_is_verified_on_the_fast_kernels(root: Path) -> None:
    said = emulation.enter(root, "edge-daemon", "bundle", "verify")
    assert said.splitlines()[0].endswith(BUNDLE)
    verdicts = [line.split() for line in said.splitlines()[1:]]
    assert [line[:2] + line[-1:] for line in verdicts] == [
        [tier, "ok", "XNNPACK"] for tier in ("critical", "low", "medium", "high")
    ]


def test_a_whole_run_gives_the_answers_that_it_gives_here(root: Path, tmp_path: Path) -> None:
    demo = "edge-daemon demo --lockstep --journal=/tmp/journal >/dev/null"
    theirs = emulation.enter(root, "sh", "-c", f"{demo} && cat /tmp/journal/journal.jsonl")
    command = [sys.executable, "-m", "edge_daemon", "demo", "--lockstep", f"--journal={tmp_path}"]
    subprocess.run(command, check=True, capture_output=True)
    ours = (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    here, there = predictions(ours), predictions(theirs)
    assert len(here) == len(there) > 200
    keys = ("window", "tier", "image", "audio", "truth")
    assert [pick(line, keys) for line in here] == [pick(line, keys) for line in there]
    # The features are floats, whose last bits may differ, and a picture on the edge of a pixel may
    # fall to either side.
    same = [a["label"] == b["label"] for a, b in zip(here, there, strict=True)]
    assert sum(same) >= 0.98 * len(same)
    close = [
        abs(a["confidence"] - b["confidence"]) < 0.05 for a, b in zip(here, there, strict=True)
    ]
    assert sum(close) >= 0.98 * len(close)


def test_the_probes_read_the_kernel(root: Path) -> None:
    program = """
import json, time
import msgspec
from edge_daemon.governor.probes import Probes
probes = Probes()
time.sleep(0.5)
print(json.dumps(msgspec.to_builtins(probes.read())))
"""
    reading = json.loads(emulation.enter(root, PYTHON, "-c", program))
    assert "failed" not in reading
    assert reading["cores"] == len(os.sched_getaffinity(0))
    assert 0.0 <= reading["cpu_foreign"] <= 1.0
    assert 0.0 < reading["memory_available_mib"] < math.inf


def predictions(journal: str) -> list[dict[str, Any]]:
    lines = map(json.loads, journal.splitlines())
    return [line for line in lines if line["event"] == "prediction"]


def pick(line: dict[str, Any], keys: tuple[str, ...]) -> list[Any]:
    return [line[key] for key in keys]
