"""RA-CMKD against its rivals on the same pairs, tier by tier."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.report.difference import Difference, Verdict, paired_difference
from tools.report.names import TIERS, in_order
from tools.report.runs import Run, TaskRuns


@dataclass(frozen=True)
class Contest:
    """One rival against RA-CMKD.

    Attributes:
        task: name.
        protocol: under which the pairs were made.
        tier: which.
        method: the rival.
        difference: the rival's share of right answers less that of RA-CMKD; None where they
            cannot be compared.
    """

    task: str
    protocol: str
    tier: str
    method: str
    difference: Difference | None


def protocols_of(task: TaskRuns) -> list[str]:
    """Return the protocols that any of a task's runs was evaluated under, its own first."""
    found = {
        protocol
        for run in task.runs.values()
        if run.evaluation is not None
        for _, protocol in run.evaluation.accuracies
    }
    return in_order(found, {task.name: ""})


def contests(task: TaskRuns, protocol: str, rivals: Sequence[Run]) -> list[Contest]:
    """Compare every rival that was evaluated with RA-CMKD, dearest tier first."""
    ours = task.ours
    if ours is None or ours.evaluation is None:
        return []
    return [
        Contest(task.name, protocol, tier, rival.method, difference(ours, rival, tier, protocol))
        for rival in rivals
        if rival.evaluation is not None
        for tier in TIERS
    ]


def difference(ours: Run, rival: Run, tier: str, protocol: str) -> Difference | None:
    """Return the rival's gain over RA-CMKD; None where the same pairs were not answered."""
    mine, theirs = ours.answers.get((tier, protocol)), rival.answers.get((tier, protocol))
    if mine is None or theirs is None or not mine.same_pairs(theirs):
        return None
    return paired_difference(theirs.right, mine.right, mine.groups)


def having(found: Iterable[Contest], verdict: Verdict) -> list[Contest]:
    """Return the contests with a verdict on the rival."""
    return [
        contest
        for contest in found
        if contest.difference is not None and contest.difference.verdict == verdict
    ]
