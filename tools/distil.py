"""Train the students of a task by one method, taught by the task's teacher.

    python -m tools.distil --data DIRECTORY --task published --method ra_cmkd

A killed run goes on where it was when the same command is given again. With
`torchrun --nproc-per-node 2 -m --` in place of `python -m` two processes share the work.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from edge_daemon.tier import Tier
from tools.alignment.subspace import Subspace, SubspaceError, class_means, shared_subspace
from tools.compression.budgets import Budgets
from tools.compression.cost import tier_cost
from tools.compression.fake_quant import fake_quantised, unwrap
from tools.compression.gates import Gates
from tools.compression.loss import resource_loss
from tools.compression.prune import remove_closed
from tools.compression.widths import expected_widths
from tools.dataset import DatasetError
from tools.lesson import Lesson, lesson, some_of
from tools.methods import METHODS
from tools.methods.method import Method, widths
from tools.methods.ra_cmkd import ABLATIONS, Resource
from tools.networks.shape import Shape
from tools.networks.student import Students
from tools.resource.coefficients import ResourceWeights
from tools.sources import add_arguments, sources_from
from tools.tasks import add_task_arguments, task_from
from tools.training import distributed
from tools.training.batch import Batch
from tools.training.calibration import calibrate_outputs
from tools.training.checkpoint import CheckpointError
from tools.training.device import device
from tools.training.distributed import SharingError
from tools.training.fit import Group, Plan, Terms, fit
from tools.training.pools import Drawn
from tools.training.record import Record
from tools.training.saved import save_students
from tools.training.validation import tier_accuracies

ROUNDS = {"live": 44, "clean": 18, "published": 14, "hard": 14, "own": 4}
"""Rounds of 200 steps of 128 pairs, the same for every method."""

SMOKE_ROUNDS = 4

RATE, QUANTISED_RATE = 5e-3, 4e-4
"""Highest learning rates: in general, and to get used to int8."""

GATED, TUNED = 0.2, 0.7
"""Shares of the rounds in which channels can close, and in which those that are left are tuned; the
rest goes to fake quantisation. Methods without gates train in one go."""

SEEDS = {"students": 0, "gated": 0, "tuned": 1000, "fake_quantised": 2000}
"""What each stage adds to the seed, so that none sees the pairs of another in the same order."""

GATE_RATE = 6.0
"""Learning rate of the gates, in that of the weights."""

RESOURCE_PRICE = 20.0
"""What the resource term is multiplied by. With less, the labels hold every gate open: at 1, all
were wider open after 1,400 steps than before them."""

OPENNESS = 1.0
"""The parameter of every gate at first; at 2, which is 97 % open, hardly any gradient is left."""

SHOWN = 2000
"""Validation pairs that are looked at after every round; calibration takes all."""

EVEN = Shape(
    visual_28=(12, 24, 40, 52, 52),
    visual_14=(12, 24, 40, 52),
    audio=(40, 40, 40, 40, 56, 56),
)
"""Students as large as the budgets allow, every layer narrowed alike: those of all methods without
gates."""


@dataclass(frozen=True)
class Rounds:
    """How long a run is.

    Attributes:
        total: rounds, over all stages.
        steps: of each round.
        batch: pairs of each step.
    """

    total: int
    steps: int = 200
    batch: int = 128

    def plan(self, share: float, rate: float) -> Plan:
        """Return the plan of a stage that gets a share of the rounds."""
        return Plan(max(1, round(share * self.total)), self.steps, self.batch, rate)


class Run:
    """One method's run: what its stages share.

    Args:
        name: of the method.
        hear: gives what is trained with, for the mel bands that the students hear.
        rounds: how long.
        seed: of everything random.
        directory: of checkpoints and record.
        budgets: what the models may cost.
    """

    def __init__(
        self,
        name: str,
        hear: Callable[[tuple[int, int]], Lesson],
        rounds: Rounds,
        seed: int,
        directory: Path,
        budgets: Budgets,
    ) -> None:
        self.name = name
        self.hear = hear
        self.lesson = hear(Shape.bands)
        self.rounds = rounds
        self.seed = seed
        self.directory = directory
        self.budgets = budgets
        self.record = Record(distributed.for_lead(directory / "distil.jsonl"))
        self.shown = some_of(self.lesson.pairs, SHOWN)

    def method(self, students: Students, resource: Resource | None = None) -> Method:
        """Return the method, made for students as wide as these."""
        few = Drawn(torch.arange(2), torch.arange(2))
        batch = self.lesson.train.batch(few).to(device())
        with torch.no_grad():
            taught = self.lesson.answers.take(few, batch)
            made = widths(taught, students.eval().learn(batch))
        subspace = None
        if self.name in ABLATIONS:
            subspace = subspace_of_teacher(self.lesson, min(made.features.values()))
        return METHODS[self.name](made, subspace, resource).to(device())

    def train(
        self,
        stage: str,
        students: Students,
        share: float,
        rate: float,
        gates: Gates | None = None,
        method: Method | None = None,
    ) -> Method:
        """Train students in place for a share of the rounds.

        Args:
            stage: its name.
            students: as they are.
            share: of the rounds.
            rate: the highest learning rate.
            gates: of the students, where channels can close.
            method: of an earlier stage whose students were as wide, to go on with what it has
                learnt; None makes a new one.

        Returns:
            The method.
        """
        resource = None if gates is None else self.expected_cost(gates)
        method = method or self.method(students, resource)
        groups = [Group([students, method])]
        if gates is not None:
            groups.append(Group([gates], GATE_RATE, decay=False))

        def step(batch: Batch, drawn: Drawn, progress: float, generator: torch.Generator) -> Terms:
            if gates is not None:
                gates.draw()
            taught = self.lesson.answers.take(drawn, batch)
            learnt = distributed.learn_together(students, batch)
            return method.losses(batch, taught, learnt, progress, generator)

        fit(
            stage,
            groups,
            step,
            self.lesson.train,
            self.rounds.plan(share, rate),
            self.lesson.warp,
            self.seed + SEEDS[stage],
            self.directory / "checkpoints",
            self.record,
            lambda: tier_accuracies(students, self.lesson.validation, self.shown),
        )
        return method

    def expected_cost(self, gates: Gates) -> Resource:
        """Return the resource term of tiers whose channels have gates."""

        def overspent(tier: Tier, weights: ResourceWeights[torch.Tensor]) -> torch.Tensor:
            cost = tier_cost(expected_widths(gates), tier)
            return RESOURCE_PRICE * resource_loss(cost, self.budgets.tiers[tier], weights)

        return overspent

    def compress(self, students: Students) -> Students:
        """Train with gates, remove what they close, tune what is left, get used to int8."""
        gates = Gates(students, initial=OPENNESS).to(device()).eval()
        gates.attach(students)
        self.train("gated", students, GATED, RATE, gates)
        smaller = on_device(remove_closed(students, gates, self.budgets))
        if smaller.shape.bands != students.shape.bands:
            self.lesson = self.hear(smaller.shape.bands)
        self.record.write(
            "pruned",
            before=students.shape.document(),
            after=smaller.shape.document(),
            open={name: round(some.sum().item(), 2) for name, some in gates.open().items()},
        )
        method = self.train("tuned", smaller, TUNED, RATE)
        return self.get_used_to_int8(smaller, method)

    def get_used_to_int8(self, students: Students, method: Method) -> Students:
        """Train on with what quantisation does to weights and activations in the way."""
        quantised = on_device(fake_quantised(students))
        share = 1.0 - GATED - TUNED
        self.train("fake_quantised", quantised, share, QUANTISED_RATE, method=method)
        return unwrap(quantised)


def on_device(students: Students) -> Students:
    """Return the students where training runs, in the layout that is fastest for convolutions."""
    return students.to(device()).to(memory_format=torch.channels_last)


def subspace_of_teacher(lesson: Lesson, most: int) -> Subspace | None:
    """Fit the shared subspace to what the teacher says about the training pools.

    Args:
        lesson: its answers and labels.
        most: dimensions that the narrowest features of a student have.

    Returns:
        The subspace; None where a label is only ever seen or only ever heard, so that there is
        nothing to share.

    Raises:
        SubspaceError: the teacher does not tell the labels apart.
    """
    answers, train = lesson.answers, lesson.train
    labels = set(range(lesson.labels))
    if not labels <= set(train.images28.labels.tolist()) & set(train.sounds.labels.tolist()):
        return None
    visual = class_means(answers.visual.features, train.images28.labels, lesson.labels)
    audio = class_means(answers.audio.features, train.sounds.labels, lesson.labels)
    return shared_subspace(visual, audio, min(lesson.labels - 1, most))


def distil(run: Run, shape: Shape) -> Students:
    """Train students by a method, calibrate and save them.

    Args:
        run: what, with what, how long.
        shape: of the students at first.
    """
    began_s = time.monotonic()
    run.record.write(
        "start",
        method=run.name,
        seed=run.seed,
        shape=shape.document(),
        plan=asdict(run.rounds),
        threads=torch.get_num_threads(),
    )
    torch.manual_seed(run.seed)
    students = on_device(Students(shape))
    options = ABLATIONS.get(run.name)
    if options is not None and options.gates:
        students = run.compress(students)
    elif options is not None:
        method = run.train("students", students, GATED + TUNED, RATE)
        students = run.get_used_to_int8(students, method)
    else:
        run.train("students", students, 1.0, RATE)
    if run.method(students).calibrated:
        kept_aside = run.lesson.validation, run.lesson.pairs
        for output in calibrate_outputs(students, *kept_aside, run.lesson.doubt):
            run.record.write("calibration", **asdict(output))
    if distributed.leads():
        save_students(run.directory, students)
    run.record.write("end", seconds=round(time.monotonic() - began_s, 1))
    return students


def starting_shape(method: str, labels: int) -> Shape:
    """Return what students look like at first: wide where channels can close."""
    options = ABLATIONS.get(method)
    return replace(Shape() if options is not None and options.gates else EVEN, labels=labels)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.distil", description=__doc__)
    add_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument("--method", choices=list(METHODS), default="ra_cmkd", help="how")
    parser.add_argument(
        "--rounds", type=int, help="how long: rounds of 200 steps, by default those of the task"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        with distributed.processes():
            follow(options)
    except (CheckpointError, DatasetError, FileNotFoundError, SharingError, SubspaceError) as error:
        parser.exit(1, f"{error}\n")


def follow(options: argparse.Namespace) -> None:
    """Do what the command's options say."""
    with distributed.lead_first():
        task, directory = task_from(options)
        sources = sources_from(options)
    if options.smoke:
        rounds = Rounds(options.rounds or SMOKE_ROUNDS, steps=10, batch=32)
    else:
        rounds = Rounds(options.rounds or ROUNDS[task.name])
    distributed.rows_each(rounds.batch)  # before hours of work are in vain

    def hear(bands: tuple[int, int]) -> Lesson:
        with distributed.lead_first():
            return lesson(task, sources, directory, bands)

    run = Run(options.method, hear, rounds, options.seed, directory / options.method, Budgets())
    distil(run, starting_shape(options.method, run.lesson.labels))


if __name__ == "__main__":
    main()
