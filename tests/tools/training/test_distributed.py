"""Two processes that torchrun starts train the students that one trains."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tools.training.short_runs import (
    LAST,
    METHODS,
    ROUNDS,
    beginning,
    gradients,
    run_all,
    short_lesson,
)
from tools.compression.budgets import Budgets
from tools.distil import SEEDS, Run
from tools.training.checkpoint import load_checkpoint
from tools.training.fit import Group, optimiser_for
from tools.training.pools import varied

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 300


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process leaves."""
    directory = tmp_path_factory.mktemp("alone")
    run_all(directory)
    return directory


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two leave."""
    directory = tmp_path_factory.mktemp("together")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    module = ["--nproc-per-node", "2", "-m", "tests.tools.training.short_runs"]
    done = subprocess.run(
        [*torchrun, *module, str(directory)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return directory


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def weights(path: Path) -> dict[str, Tensor]:
    state = load_checkpoint(path)
    assert state is not None
    students: dict[str, Tensor] = state["students"]
    return students


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_lose_as_much_as_one(alone: Path, together: Path, method: str) -> None:
    expected, found = (
        lines(alone / method / "distil.jsonl"),
        lines(together / method / "whole.jsonl"),
    )
    # One process alone has written, or there would be twice as many.
    assert [line["event"] for line in found] == [line["event"] for line in expected]
    rounds = 0
    for line, same in zip(found, expected, strict=True):
        if line["event"] == "round":
            # Rounding to int8 turns the last bit of a value into a whole step here and there.
            near = 1e-3 if line["stage"] == "fake_quantised" else 1e-4
            assert line["loss"] == pytest.approx(same["loss"], rel=near)
            rounds += 1
        else:
            assert line == {"ts": line["ts"]} | {
                name: pytest.approx(value, rel=1e-4) if isinstance(value, list) else value
                for name, value in same.items()
                if name != "ts"
            }
    assert rounds == ROUNDS.total


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_descend_the_gradient_of_the_whole_batch(
    together: Path, tmp_path: Path, method: str
) -> None:
    found = torch.load(together / "gradients.pt", weights_only=True)[method]
    expected = gradients(method, tmp_path)
    assert found.keys() == expected.keys()
    assert len(found) > 90
    largest = max(float(value.norm()) for value in expected.values())
    for name, value in expected.items():
        apart = float((found[name] - value).norm())
        assert apart <= 1e-9 * float(value.norm()) + 1e-12 * largest, name


@pytest.mark.parametrize("students", ["experts", "pretext", "ra_cmkd/gated"])
def test_two_processes_make_the_students_that_one_makes(
    alone: Path, together: Path, students: str
) -> None:
    found, expected = (weights(some / students / "students.pt") for some in (together, alone))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.allclose(found[name], value, rtol=1e-4, atol=1e-5), name


def test_two_processes_round_as_one_does(alone: Path, together: Path) -> None:
    found, expected = (
        torch.cat([value.flatten() for value in weights(some).values()])
        for some in (together / "ra_cmkd" / "before.pt", alone / "ra_cmkd" / "students.pt")
    )
    assert (found - expected).norm() <= 1e-4 * expected.norm()


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_go_on_to_the_same_result(together: Path, method: str) -> None:
    before = weights(together / method / "before.pt")
    for name, value in weights(together / method / "students.pt").items():
        assert torch.equal(before[name], value), name
    again = [line for line in lines(together / method / "distil.jsonl") if "stage" in line]
    assert {line["stage"] for line in again} == {LAST[method]}


def test_what_cannot_be_shared_is_refused(together: Path) -> None:
    texts = json.loads((together / "texts.json").read_text())
    assert texts["processes"] == "2"
    assert "49 pairs" in texts["rows"]
    assert "2 processes" in texts["rows"]
    assert "[0, 3]" in texts["rounds"]
    assert "--run" in texts["rounds"]


def test_one_process_trains_by_the_plain_loop_bit_for_bit(tmp_path: Path) -> None:
    lesson, plan = short_lesson(), ROUNDS.plan(1.0, 3e-3)
    run = Run("experts", lambda _: lesson, ROUNDS, 5, tmp_path, Budgets())
    students = beginning()
    run.train("students", students, 1.0, plan.rate)
    plain = beginning()
    method = run.method(plain)
    optimiser, cycle = optimiser_for([Group([plain])], plan)
    seed, generator = run.seed + SEEDS["students"], torch.Generator()
    for number in range(plan.rounds):
        plain.train()
        generator.manual_seed(seed + number)
        for part in lesson.train.draw(plan.steps * plan.batch, seed, number).parts(plan.batch):
            batch = varied(lesson.train.batch(part), lesson.warp, generator)
            taught = lesson.answers.take(part, batch)
            terms = method.losses(batch, taught, plain.learn(batch), 0.0, generator)
            optimiser.zero_grad()
            terms["task"].backward()
            optimiser.step()
            cycle.step()
    for name, value in plain.state_dict().items():
        assert torch.equal(students.state_dict()[name], value), name
    assert not torch.equal(plain.audio.head.weight, beginning().audio.head.weight)
