import torch

from edge_daemon.tier import Tier
from tests.tools.methods.examples import (
    HEARD,
    SEEN,
    STUDENT_STAGES,
    TEACHER_STAGES,
    make_batch,
    make_taught,
    make_widths,
)
from tools.methods.method import tier_labels, tier_teaching
from tools.training.losses import NOTHING


def test_widths_are_those_of_the_activations() -> None:
    found = make_widths()
    assert found.features == dict.fromkeys(STUDENT_STAGES, 6)
    assert found.stages == STUDENT_STAGES
    assert found.teacher_features == {"visual": 11, "audio": 12}
    assert found.teacher_stages == TEACHER_STAGES


def test_a_tier_knows_what_it_sees_or_hears() -> None:
    batch = make_batch()
    either = [s if s != NOTHING else h for s, h in zip(SEEN, HEARD, strict=True)]
    for tier, expected in (
        (Tier.HIGH, either),
        (Tier.MEDIUM, either),
        (Tier.LOW, SEEN),
        (Tier.CRITICAL, SEEN),
    ):
        assert tier_labels(batch, tier).tolist() == expected


def test_nobody_is_taught_what_he_cannot_perceive() -> None:
    batch = make_batch()
    taught = make_taught(batch)
    only_heard, nothing = 5, 7
    low, high = (tier_teaching(batch, taught, tier) for tier in (Tier.LOW, Tier.HIGH))
    assert low[only_heard].tolist() == [0.0] * 5
    assert torch.equal(high[only_heard], taught.audio.logits[only_heard])
    assert high[nothing].tolist() == [0.0] * 5
    assert torch.equal(low[:5], taught.fused[:5])
