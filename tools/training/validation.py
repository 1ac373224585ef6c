"""How good the students are on pairs that were not trained on, tier by tier."""

import torch

from edge_daemon.tier import TIERS
from tools.networks.student import Students
from tools.training.losses import NOTHING
from tools.training.pools import Drawn, Pools

BATCH = 500


def tier_accuracies(students: Students, pools: Pools, pairs: Drawn) -> dict[str, float]:
    """Return each tier's share of right answers among the pairs that show something.

    Args:
        students: in evaluation mode.
        pools: validation pictures and sounds.
        pairs: which of them.
    """
    device = students.tau_28.device
    right = dict.fromkeys(TIERS, 0)
    shown = 0
    with torch.no_grad():
        for first in range(0, len(pairs.pictures), BATCH):
            rows = slice(first, first + BATCH)
            batch = pools.batch(Drawn(pairs.pictures[rows], pairs.sounds[rows])).to(device)
            learnt = students.learn(batch)
            known = batch.seen != NOTHING
            shown += int(known.sum())
            for tier in TIERS:
                answers = learnt.tier(tier).argmax(1)
                right[tier] += int((answers == batch.seen)[known].sum())
    return {str(tier): round(count / max(shown, 1), 5) for tier, count in right.items()}
