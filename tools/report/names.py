"""What tasks, tiers and methods are called, in which order, and what they are."""

from collections.abc import Iterable, Mapping

from edge_daemon.tier import TIERS as CHEAPEST_FIRST

TIERS: tuple[str, ...] = tuple(str(tier) for tier in reversed(CHEAPEST_FIRST))
"""Dearest first, as the publication's table has them."""

INPUTS = {
    "high": "28×28 picture and sound",
    "medium": "28×28 picture and the first 0.4 s of sound",
    "low": "28×28 picture",
    "critical": "14×14 picture",
}

VISUAL_TIERS = ("low", "critical")

TASKS = {
    "published": "pictures of 6 principal components, words at −5 dB: nearest to the publication",
    "hard": "pictures of 4 principal components, words at −5 dB",
    "clean": "MNIST as it is, words as they were recorded",
    "live": "digits as a camera sees them, speech in rooms: what the shipped bundle is trained for",
}

METHODS = {
    "ra_cmkd": "RA-CMKD",
    "labels": "labels only",
    "experts": "product of experts",
    "hinton": "Hinton KD",
    "transfer": "supervision transfer",
    "transport": "EMD-KD",
    "pretext": "self-supervised",
    "ra_cmkd_without_conditioning": "without conditioning on R",
    "ra_cmkd_without_alignment": "without alignment",
    "ra_cmkd_with_instances": "aligned by instances",
    "ra_cmkd_without_cross_modal": "without the cross-modal terms",
    "ra_cmkd_without_gates": "without gates",
}
"""In the report's order: the method, its baselines, its ablations."""

MEANINGS = {
    "ra_cmkd": "labels, teacher, alignment and cost, weighted by the headroom R; gates, pruning, "
    "fake quantisation",
    "labels": "the tiers' summed logits on the labels, int8 afterwards, as in TinyML",
    "experts": "every branch on the labels by itself, calibrated, added (Hinton 2002)",
    "hinton": "softened logits of the fused teacher (Hinton, Vinyals and Dean 2015)",
    "transfer": "features of the teacher's other modality as targets, then labels (Gupta, Hoffman "
    "and Malik 2016)",
    "transport": "layers matched by optimal transport (after BERT-EMD, Li et al. 2020)",
    "pretext": "contrast of paired picture and sound without labels, then labels",
    "ra_cmkd_without_conditioning": "the loss's weights are the same for every R",
    "ra_cmkd_without_alignment": "no shared subspace, no contrast",
    "ra_cmkd_with_instances": "contrast of instances in place of class prototypes",
    "ra_cmkd_without_cross_modal": "a branch hears only of the teacher's same modality",
    "ra_cmkd_without_gates": "no channel gates, so no pruning by cost",
}


def method_name(method: str) -> str:
    """Return what a method is called in tables."""
    return METHODS.get(method, method)


def is_ablation(method: str) -> bool:
    """Whether a method is RA-CMKD without one of its parts."""
    return method.startswith("ra_cmkd") and method != "ra_cmkd"


def in_order(names: Iterable[str], known: Mapping[str, str] = METHODS) -> list[str]:
    """Return names in the report's order, unknown ones by the alphabet behind them."""
    order = {name: number for number, name in enumerate(known)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))
