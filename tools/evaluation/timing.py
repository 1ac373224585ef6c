"""How long the tiers and their teacher take, in one run and in turn."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_daemon.inference.interpreter import Interpreter
from tools.evaluation.latency import interleaved_us


@dataclass(frozen=True)
class Time:
    """How long one inference takes with one thread.

    Attributes:
        tier: which; `teacher` for the teacher.
        median_us: half are faster.
        late_us: the 95th percentile.
    """

    tier: str
    median_us: float
    late_us: float


def times(models: Mapping[str, bytes]) -> list[Time]:
    """Time models by name, each in every round: their ratios hold on a busy machine."""
    interpreters = [Interpreter(model, threads=1, name=name) for name, model in models.items()]
    found = [
        Time(name, round(median_us, 1), round(late_us, 1))
        for name, (median_us, late_us) in zip(models, interleaved_us(interpreters), strict=True)
    ]
    for interpreter in interpreters:
        interpreter.close()
    return found
