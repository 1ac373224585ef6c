"""Which channels are kept: the most probable ones that meet the hard budgets."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from edge_daemon.tier import Tier
from tools.compression.budgets import Budgets
from tools.compression.cost import costs
from tools.compression.gates import CLOSED, band_slice
from tools.compression.groups import BANDS, BRANCHES, Group
from tools.networks.shape import Shape

LEAST = 4
"""Channels that every group keeps."""
LEAST_BANDS = 20
"""Bands that are kept: the onset detector hears with them as well."""

HEARD_BY = {
    "visual_28": (Tier.HIGH, Tier.MEDIUM, Tier.LOW),
    "visual_14": (Tier.CRITICAL,),
    "audio": (Tier.HIGH, Tier.MEDIUM),
}
"""The tiers that a branch is part of."""


class BudgetError(Exception):
    """The budgets cannot be met, however many channels are removed."""


class Selection:
    """The channels that are kept, group by group.

    Args:
        shape: of the students as they are.
        groups: of their channels, by name; bands that are in no group are all kept.
        probabilities: of each channel's gate being open, [width] for each group.
    """

    def __init__(
        self, shape: Shape, groups: Mapping[str, Group], probabilities: Mapping[str, Tensor]
    ) -> None:
        self._whole = shape
        self._groups = groups
        self._probabilities = {
            name: values.detach().double().tolist() for name, values in probabilities.items()
        }
        self._kept = {name: list(range(group.width)) for name, group in groups.items()}

    def kept(self, name: str) -> list[int]:
        """Return the channels of a group that are kept, in order."""
        return sorted(self._kept[name])

    @property
    def shape(self) -> Shape:
        """The shape that is left; its bands are those of the whole shape that are kept."""
        widths = {branch: list(getattr(self._whole, branch)) for branch in BRANCHES}
        first, last = self._whole.bands
        for name, kept in self._kept.items():
            if name == BANDS:
                first, last = first + min(kept), first + max(kept) + 1
            for entry in self._groups[name].entries:
                widths[self._groups[name].branch][entry] = len(kept)
        return replace(
            self._whole,
            visual_28=tuple(widths["visual_28"]),
            visual_14=tuple(widths["visual_14"]),
            audio=tuple(widths["audio"]),
            bands=(first, last),
        )

    def close_closed(self) -> None:
        """Remove the channels whose deterministic gate is 0.

        Of the bands remains the best contiguous slice with as many as are open: it is what the
        runtime can keep, and what the cost of open bands was learnt for.
        """
        for name, values in self._probabilities.items():
            is_open = [value >= CLOSED for value in values]
            if name == BANDS:
                width = min(max(sum(is_open), LEAST_BANDS), len(values))
                self._kept[name] = list(range(*band_slice(torch.tensor(values), width)))
                continue
            ranked = sorted(range(len(values)), key=lambda channel: -values[channel])
            self._kept[name] = ranked[: max(sum(is_open), min(LEAST, len(values)))]

    def close(self, name: str, channel: int) -> None:
        """Remove one channel of a group."""
        self._kept[name].remove(channel)

    def reopen(self, name: str, channel: int) -> None:
        """Put a channel back that was removed."""
        self._kept[name].append(channel)

    def contiguous(self) -> bool:
        """Whether no band is missing between the first and the last."""
        kept = self._kept.get(BANDS, [0])
        return max(kept) - min(kept) + 1 == len(kept)

    def cheapest(self, tiers: set[Tier]) -> tuple[str, int] | None:
        """Return the group and the channel with the least probability that may be removed.

        Args:
            tiers: that cost too much; only channels of theirs count.

        Of the bands only the first and the last may go: the runtime keeps a contiguous slice.
        """
        candidates = []
        for name, kept in self._kept.items():
            least = LEAST_BANDS if name == BANDS else LEAST
            if len(kept) <= least or tiers.isdisjoint(HEARD_BY[self._groups[name].branch]):
                continue
            removable = (min(kept), max(kept)) if name == BANDS else kept
            of_group = self._probabilities[name]
            candidates += [(of_group[channel], name, channel) for channel in removable]
        if not candidates:
            return None
        _, name, channel = min(candidates)
        return name, channel


def select(
    shape: Shape,
    groups: Mapping[str, Group],
    probabilities: Mapping[str, Tensor],
    budgets: Budgets,
) -> Selection:
    """Keep the most probable channels that meet the budgets of all tiers.

    First every channel goes whose gate is closed; then, while a tier costs too much, the least
    probable channel of that tier's branches. At the end those come back, the most probable first,
    that fit after all: bytes do not fall with every channel.

    Args:
        shape: of the students as they are.
        groups: of their channels, by name.
        probabilities: of each channel's gate being open, [width] for each group.
        budgets: that must be met.

    Raises:
        BudgetError: naming what is over budget with the least channels.
    """
    selection = Selection(shape, groups, probabilities)
    selection.close_closed()
    removed = []
    while exceeded := budgets.exceeded(costs(selection.shape)):
        found = selection.cheapest(set(exceeded))
        if found is None:
            over = "; ".join(f"{tier}: {', '.join(texts)}" for tier, texts in exceeded.items())
            raise BudgetError(f"with the least channels still {over}; raise the budget")
        selection.close(*found)
        removed.append(found)
    for name, channel in reversed(removed):
        selection.reopen(name, channel)
        if not selection.contiguous() or budgets.exceeded(costs(selection.shape)):
            selection.close(name, channel)
    return selection
