"""Everyone on every trace, several traces at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tools.simulation.board import Board
from tools.simulation.contestants import ORACLE, Contestant
from tools.simulation.effects import effects
from tools.simulation.figures import Figures, figures
from tools.simulation.loop import simulate
from tools.simulation.oracle import plan
from tools.simulation.policies.planned import Planned
from tools.simulation.trace import Trace


@dataclass(frozen=True)
class Result:
    """One policy on one trace.

    Attributes:
        policy: its name.
        trace: the trace's name.
        kind: the trace's kind.
        load: the trace's load.
        seed: the trace's seed.
        figures: of the run.
        value: what the oracle's recursion promises; None for the others.
        faulty: whether the trace's sensors fail or are noisy.
    """

    policy: str
    trace: str
    kind: str
    load: float
    seed: int
    figures: Figures
    value: float | None = None
    faulty: bool = False


@dataclass(frozen=True)
class Job:
    """One trace and who runs on it.

    Attributes:
        trace: the trace.
        board: the board.
        policies: who.
        error: relative error of the profile that they are given.
    """

    trace: Trace
    board: Board
    policies: tuple[Contestant, ...]
    error: float = 0.0


def run_job(job: Job) -> list[Result]:
    """Return the results of everyone on one trace, the oracle's first."""
    trace, board = job.trace, job.board
    happens = effects(trace, board)
    profile = board.profile(job.error)
    found = []

    def result(name: str, each: Figures, value: float | None = None) -> Result:
        return Result(
            name, trace.name, trace.kind, trace.load, trace.seed, each, value, trace.faulty
        )

    best = plan(trace, happens, board)
    run = simulate(trace, happens, board, partial(Planned, best.ranks.tolist()))
    found.append(result(ORACLE, figures(run, trace, board), best.value))
    for policy in job.policies:
        run = simulate(trace, happens, board, policy.maker(profile, board))
        found.append(result(policy.name, figures(run, trace, board)))
    return found


def run_jobs(
    jobs: Sequence[Job], workers: int, done: Callable[[], None] = lambda: None
) -> Iterator[Result]:
    """Yield all results, in the order of the jobs.

    Args:
        jobs: one for each trace.
        workers: processes; 1 runs them here.
        done: called after each job.
    """
    if workers <= 1:
        for job in jobs:
            yield from run_job(job)
            done()
        return
    # Spawned: a fork of a process that has threads, as after an import of JAX, may hang.
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_one_thread) as pool:
        for results in pool.map(run_job, jobs):
            yield from results
            done()


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
