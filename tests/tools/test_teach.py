"""How long a teacher is taught; the whole command is in test_commands.py."""

import json
from pathlib import Path

import pytest

from tools.sources import SMOKE_SIZES, Sources
from tools.tasks import TASKS
from tools.teach import schedule, teach


@pytest.mark.parametrize(
    ("steps", "samples", "batch", "epochs"),
    [(1200, 50_000, 128, 3), (40, 1200, 32, 1), (300, 90, 90, 300), (1, 10_000, 10, 1)],
)
def test_passes_come_nearest_to_the_steps(
    steps: int, samples: int, batch: int, epochs: int
) -> None:
    plan = schedule(steps, samples, batch)
    assert (plan.epochs, plan.batch) == (epochs, batch)


def test_fewer_samples_than_a_batch_teach_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in ("train", "validation"):
        monkeypatch.setitem(SMOKE_SIZES, split, 20)
    monkeypatch.setattr("tools.teach.SMOKE_STEPS", {"visual": 3, "audio": 3})
    assert teach(TASKS["clean"], Sources(None), tmp_path, only="visual", smoke=True) is None
    lines = map(json.loads, (tmp_path / "teach.jsonl").read_text(encoding="utf-8").splitlines())
    assert [line["epoch"] for line in lines if line["event"] == "epoch"] == [1, 2, 3]
