"""Choosing a model for every tier: the best scores that keep all budgets."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_daemon.tier import Tier
from tools.choice.candidate import Candidate
from tools.choice.score import W, score
from tools.compression.budgets import Budget, Budgets, check
from tools.compression.cost import Cost


class ChoiceError(Exception):
    """No candidate keeps the budgets; the text says by how much each exceeds them."""


@dataclass(frozen=True)
class Choice:
    """What was chosen for a tier.

    Attributes:
        best: the candidate.
        scores: of all candidates by name, those over budget included.
        reasons: why each of the others was not chosen.
    """

    best: Candidate
    scores: Mapping[str, float]
    reasons: Mapping[str, str]


def refusal(candidate: Candidate, budget: Budget) -> str:
    """Return what a candidate exceeds; empty where it is within its budget."""
    cost = Cost(macs=candidate.macs, bytes=candidate.bytes, latency_us=candidate.latency_us)
    return "; ".join(check(cost, budget))


def choose(
    candidates: Sequence[Candidate], budget: Budget, target_us: float, w: float = W
) -> Choice:
    """Choose for one tier.

    Of equal scores the smaller file is better, then the earlier candidate. A candidate over budget
    is refused, whatever its score.

    Args:
        candidates: with different names.
        budget: what none may exceed.
        target_us: time that is aimed at.
        w: exponent of the time, below 0.

    Raises:
        ChoiceError: none is within the budget.
        ValueError: two have one name, or `score` refuses an argument.
    """
    scores = scores_of(candidates, target_us, w)
    within = [some for some in candidates if not refusal(some, budget)]
    if not within:
        refusals = {some.name: refusal(some, budget) for some in candidates}
        raise ChoiceError(over_budget(refusals))
    best = max(within, key=lambda some: (scores[some.name], -some.bytes))
    return Choice(best, scores, reasons(candidates, best, scores, budget))


def choose_together(
    candidates: Mapping[Tier, Sequence[Candidate]],
    budgets: Budgets,
    targets_us: Mapping[Tier, float],
    w: float = W,
) -> dict[Tier, Choice]:
    """Choose for all tiers, so that the product of the scores is highest within every budget.

    Where the sum of the files does not bind, that is the best of each tier.

    Args:
        candidates: of every tier; a handful each, since all combinations are looked at.
        budgets: of the tiers, and of all their files together.
        targets_us: of every tier.
        w: exponent of the time, below 0.

    Raises:
        ChoiceError: no combination is within the budgets.
        ValueError: as for `choose`.
    """
    alone = {}
    for tier, some in candidates.items():
        try:
            alone[tier] = choose(some, budgets.tiers[tier], targets_us[tier], w)
        except ChoiceError as error:
            raise ChoiceError(f"{tier}: {error}") from error
    possible = [
        [one for one in some if not refusal(one, budgets.tiers[tier])]
        for tier, some in candidates.items()
    ]

    def worth(chosen: tuple[Candidate, ...]) -> tuple[float, int]:
        product = math.prod(
            choice.scores[one.name] for choice, one in zip(alone.values(), chosen, strict=True)
        )
        return product, -total_bytes(chosen)

    fitting = [some for some in itertools.product(*possible) if total_bytes(some) <= budgets.bytes]
    if not fitting:
        smallest = min(map(total_bytes, itertools.product(*possible)))
        raise ChoiceError(
            f"all tiers together: the smallest files take {smallest} bytes of at most "
            f"{budgets.bytes}; offer smaller models"
        )
    best = max(fitting, key=worth)
    chosen = zip(alone.items(), best, strict=True)
    return {
        tier: Choice(
            one,
            choice.scores,
            reasons(candidates[tier], one, choice.scores, budgets.tiers[tier]),
        )
        for (tier, choice), one in chosen
    }


def scores_of(candidates: Sequence[Candidate], target_us: float, w: float) -> dict[str, float]:
    """Return every candidate's score by its name.

    Raises:
        ValueError: two candidates have one name.
    """
    scores = {some.name: score(some.accuracy, some.latency_us, target_us, w) for some in candidates}
    if len(scores) != len(candidates):
        names = [some.name for some in candidates]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(twice)}: more than one candidate has this name; rename one")
    return scores


def reasons(
    candidates: Sequence[Candidate], best: Candidate, scores: Mapping[str, float], budget: Budget
) -> dict[str, str]:
    """Return why each candidate but the best was not chosen."""
    return {
        some.name: refusal(some, budget) or comparison(some, best, scores)
        for some in candidates
        if some is not best
    }


def comparison(some: Candidate, best: Candidate, scores: Mapping[str, float]) -> str:
    """Say why the best goes before a candidate that is within its budget."""
    mine, theirs = scores[some.name], scores[best.name]
    if mine > theirs:
        return f"scores {mine:.4f}, but leaves too few bytes to the other tiers"
    if mine == theirs:
        return f"scores as {best.name}, which is not larger"
    return f"scores {mine:.4f}, {best.name} {theirs:.4f}"


def over_budget(refusals: Mapping[str, str]) -> str:
    """Say that nothing is within the budget, and what each exceeds."""
    each = "; ".join(f"{name}: {why}" for name, why in refusals.items()) or "no candidates"
    return f"none is within the budget ({each}); offer smaller models or raise the budget"


def total_bytes(candidates: Sequence[Candidate]) -> int:
    """Return the bytes of several files."""
    return sum(some.bytes for some in candidates)
