"""What one tier's file is worth: accuracy against the network it came from, bytes and MACs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.interpreter import Interpreter
from edge_daemon.tier import Tier
from tools.evaluation.absence import silent_confidence
from tools.evaluation.answers import Pairs, model_logits, network_logits
from tools.evaluation.interval import bootstrap_interval
from tools.networks.student import Student
from tools.training.progress import Progress

PROGRESS_STEP = 250


@dataclass(frozen=True)
class Result:
    """One tier under one protocol.

    Attributes:
        tier: which.
        protocol: which.
        samples: pairs of the test split.
        int8: share of right answers of the model file.
        low: lower end of its 95 % interval, by clip where the tier listens.
        high: upper end.
        float32: share of right answers of the network before quantisation.
        agreement: share of pairs on which file and network give the same answer.
    """

    tier: Tier
    protocol: str
    samples: int
    int8: float
    low: float
    high: float
    float32: float
    agreement: float


@dataclass(frozen=True)
class Cost:
    """What one tier costs.

    Attributes:
        tier: which.
        bytes: of the file.
        macs: of one inference.
        delegated: whether XNNPACK runs it.
        silent: highest probability where all inputs are absent.
    """

    tier: Tier
    bytes: int
    macs: int
    delegated: bool
    silent: float


def evaluate_tier(
    tier: Tier,
    protocol: str,
    interpreter: Interpreter,
    student: Student,
    pairs: Pairs,
    progress: Progress,
) -> tuple[Result, NDArray[np.int64]]:
    """Compare file and network on every pair; return the file's answers [N] as well."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % PROGRESS_STEP == 0:
            progress.advance(PROGRESS_STEP)

    answers = model_logits(interpreter, pairs, advance).argmax(1).astype(np.int64)
    progress.advance(len(pairs) % PROGRESS_STEP)
    wanted = network_logits(student, pairs).argmax(1)
    right = answers == pairs.labels
    low, high = bootstrap_interval(right, pairs.groups)
    result = Result(
        tier=tier,
        protocol=protocol,
        samples=len(pairs),
        int8=float(right.mean()),
        low=low,
        high=high,
        float32=float((wanted == pairs.labels).mean()),
        agreement=float((wanted == answers).mean()),
    )
    return result, answers


def measure_cost(bundle: Bundle, tier: Tier, interpreter: Interpreter) -> Cost:
    """Return what a tier's model costs, time apart."""
    spec = bundle.tiers[tier]
    return Cost(
        tier=tier,
        bytes=spec.bytes,
        macs=spec.macs,
        delegated=interpreter.delegated,
        silent=round(silent_confidence(interpreter), 4),
    )
