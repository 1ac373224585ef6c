"""Short runs of three methods in one directory, by one process or by several of torchrun.

torchrun --nproc-per-node 2 -m -- tests.tools.training.short_runs DIRECTORY
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from tools.compression.budgets import Budgets
from tools.compression.gates import Gates
from tools.distil import Rounds, Run
from tools.generated import generated
from tools.lesson import Lesson, frozen
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.training.activations import CELLS, Activations, Taught
from tools.training.answers import Answers
from tools.training.distributed import (
    SharingError,
    agreed,
    average_gradients,
    count,
    lead_first,
    leads,
    learn_together,
    processes,
    rows_each,
)
from tools.training.global_norm import normalised_globally
from tools.training.pools import pools, varied
from tools.training.saved import save_students

METHODS = ("experts", "pretext", "ra_cmkd")
SHAPE = Shape(visual_28=(4, 6, 6, 8, 8), visual_14=(4, 6, 6, 8), audio=(8, 8, 8, 8, 8, 8))
ROUNDS = Rounds(total=4, steps=2, batch=48)

RATE = 2e-5
"""So low that rounding stays what it is: AdamW turns the least gradient into a whole step."""

LAST = {"experts": "students", "pretext": "students", "ra_cmkd": "fake_quantised"}
"""The last stage of each method."""


def short_lesson() -> Lesson:
    """Generated data; the teacher says anything at all."""
    made, kept_aside = generated(120, 0), generated(40, 1)
    train = pools([made])
    generator = torch.Generator().manual_seed(2)

    def some(rows: int, stages: tuple[int, ...]) -> Activations:
        return Activations(
            torch.randn(rows, 10, generator=generator).half(),
            torch.randn(rows, 12, generator=generator).half(),
            tuple(torch.randn(rows, size, CELLS, generator=generator).half() for size in stages),
        )

    answers = Answers(some(len(train.shown), (5, 7)), some(len(train.said), (6, 7)))
    return Lesson(
        train=train,
        answers=answers,
        validation=pools([kept_aside]),
        pairs=frozen([kept_aside]),
        warp=True,
        labels=10,
    )


def beginning() -> Students:
    """Return the students before training."""
    torch.manual_seed(5)
    return Students(SHAPE)


def run_all(directory: Path) -> None:
    """Train by every method in a directory of its name."""
    lesson = short_lesson()
    for name in METHODS:
        run = Run(name, lambda _: lesson, ROUNDS, 5, directory / name, Budgets())
        students = beginning()
        if name == "ra_cmkd":
            gates = Gates(students).eval()
            gates.attach(students)
            method = run.train("gated", students, 0.75, RATE, gates)
            gates.detach(students)
            run.record.write("open", **{name: some.tolist() for name, some in gates.open().items()})
            if leads():
                save_students(directory / name / "gated", students)
            students = run.get_used_to_int8(students, method)
        else:
            run.train("students", students, 1.0, RATE)
        if leads():
            save_students(directory / name, students)


def gradients(name: str, directory: Path) -> dict[str, Tensor]:
    """Return the gradients of a step, in double precision: rounding is no excuse there."""
    lesson = short_lesson()
    run = Run(name, lambda _: lesson, ROUNDS, 5, directory, Budgets())
    students = beginning()
    gates = Gates(students).eval()
    resource = None
    if name == "ra_cmkd":
        gates.attach(students)
        resource = run.expected_cost(gates)
    method = run.method(students, resource)
    trained = nn.ModuleList([students, method, gates]).double().train()
    gates.draw()
    generator = torch.Generator().manual_seed(6)
    part = next(lesson.train.draw(ROUNDS.batch, 7).parts(ROUNDS.batch))
    batch = varied(lesson.train.batch(part), lesson.warp, generator)
    taught = lesson.answers.take(part, batch)
    batch = replace(
        batch,
        images28=batch.images28.double(),
        images14=batch.images14.double(),
        sounds=batch.sounds.double(),
    )
    taught = Taught(doubled(taught.visual), doubled(taught.audio))
    with normalised_globally(trained):
        learnt = learn_together(students, batch)
        terms = method.losses(batch, taught, learnt, 0.0, generator)
        torch.stack(list(terms.values())).sum().backward()
    average_gradients(trained.parameters())
    return {key: value.grad for key, value in trained.named_parameters() if value.grad is not None}


def doubled(some: Activations) -> Activations:
    """Return the same in double precision."""
    return Activations(
        some.logits.double(), some.features.double(), tuple(stage.double() for stage in some.stages)
    )


def go_on(directory: Path) -> None:
    """Do every method's last stage again, as after a kill in the middle of its first round."""
    with lead_first():
        if leads():
            for method in METHODS:
                run = directory / method
                (run / "students.pt").rename(run / "before.pt")
                (run / "checkpoints" / f"{LAST[method]}.pt").unlink()
    run_all(directory)


def refused() -> dict[str, str]:
    """Return what is said of work that cannot be shared, where there are several processes."""
    texts = {}
    try:
        rows_each(ROUNDS.batch + 1)
    except SharingError as error:
        texts["rows"] = str(error)
    try:
        agreed(0 if leads() else 3)
    except SharingError as error:
        texts["rounds"] = str(error)
    return texts


if __name__ == "__main__":
    torch.set_num_threads(1)
    directory = Path(sys.argv[1])
    with processes():
        run_all(directory)
        found = {name: gradients(name, directory / "gradients") for name in METHODS}
        texts = refused() | {"processes": str(count())}
        if leads():
            torch.save(found, directory / "gradients.pt")
            (directory / "texts.json").write_text(json.dumps(texts))
            for method in METHODS:
                (directory / method / "distil.jsonl").rename(directory / method / "whole.jsonl")
        go_on(directory)
