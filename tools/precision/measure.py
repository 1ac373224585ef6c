"""What each precision of a tier is worth: accuracy here, time and sameness in every runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.tier import Tier
from tools.convert import describe
from tools.dataset import Dataset
from tools.evaluation.answers import Pairs, model_logits, network_logits, pairs_for
from tools.evaluation.interval import bootstrap_interval
from tools.networks.student import Students
from tools.precision.candidates import Candidate
from tools.precision.trial import Outcome, survey
from tools.precision.verdict import REFERENCE, Measured, Run

TRIAL_SAMPLES = 500
"""Pairs on which runtimes are compared with each other."""

ROUNDS = 2000


@dataclass(frozen=True)
class Row:
    """One precision of one tier, as a line of the table.

    Attributes:
        name: of the precision.
        bits: how many layers have how many bits.
        bytes: of the file.
        accuracy: share of right answers.
        low: lower end of its 95 % interval, by clip where the tier listens.
        high: upper end.
        agreement: share of pairs on which file and float network give the same answer.
        outcomes: what came of it in each runtime.
        runs: the same, as the verdict needs it.
    """

    name: str
    bits: str
    bytes: int
    accuracy: float
    low: float
    high: float
    agreement: float
    outcomes: Mapping[str, Outcome | str]
    runs: Mapping[str, Run]

    @property
    def measured(self) -> Measured:
        """What the verdict looks at."""
        return Measured(self.name, self.low, self.high, self.runs)


def measure(
    students: Students,
    tier: Tier,
    candidates: Mapping[str, Candidate],
    kept_aside: Dataset,
    directory: Path,
    pythons: Sequence[Path],
) -> list[Row]:
    """Run and time every candidate of a tier.

    Args:
        students: the networks that they were made from.
        tier: which.
        candidates: by name, `REFERENCE` among them.
        kept_aside: what accuracy is measured on.
        directory: where their files go, for the trials and for whoever wants one.
        pythons: interpreters of Python in whose runtimes they are tried.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = {name: directory / f"{tier}-{name.replace(' ', '-')}.tflite" for name in candidates}
    for name, path in files.items():
        path.write_bytes(candidates[name].model)
    spec = describe(tier, candidates[REFERENCE].model, kept_aside, students.shape.bands)
    pairs = pairs_for(spec, kept_aside)
    wanted = network_logits(students.tier(tier), pairs).argmax(1)
    inputs = directory / f"{tier}-inputs.npz"
    write_inputs(inputs, pairs, TRIAL_SAMPLES)
    surveys = dict(survey(python, files, inputs, ROUNDS) for python in pythons)
    rows = []
    for name, candidate in candidates.items():
        interpreter = Interpreter(candidate.model, threads=1, name=f"{tier} {name}")
        answers = model_logits(interpreter, pairs).argmax(1)
        interpreter.close()
        right = answers == pairs.labels
        low, high = bootstrap_interval(right, pairs.groups)
        outcomes = {runtime: found[name] for runtime, found in surveys.items()}
        rows.append(
            Row(
                name=name,
                bits=candidate.bits,
                bytes=len(candidate.model),
                accuracy=float(right.mean()),
                low=low,
                high=high,
                agreement=float((answers == wanted).mean()),
                outcomes=outcomes,
                runs={key: judged(some, answers.tolist()) for key, some in outcomes.items()},
            )
        )
    return rows


def judged(outcome: Outcome | str, answers: Sequence[int]) -> Run:
    """Compare what a runtime answered with what the converting one did."""
    if isinstance(outcome, str):
        return Run(float("nan"), 0.0, outcome)
    same = np.equal(outcome.answers, answers[: len(outcome.answers)]).mean()
    return Run(outcome.median_us, float(same))


def write_inputs(path: Path, pairs: Pairs, count: int) -> None:
    """Write the first inputs as the .npz that a trial reads."""
    inputs = {"image": pairs.images[:count]}
    if pairs.sounds is not None:
        inputs["audio"] = pairs.sounds[:count]
    np.savez(path, **inputs)  # type: ignore[arg-type]  # numpy's stub takes `allow_pickle` for one
