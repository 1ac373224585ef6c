"""How far one quantity is from where it drives a tier out, and from where it lets the tier in."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from edge_daemon.tier import Tier


class Quantity(NamedTuple):
    """What a margin measures.

    Attributes:
        resource: `cpu`, `memory`, `temperature` or `battery`: what binds where it is short.
        subject: the quantity in words; `{tier}` stands for the tier that it is foreseen for.
        unit: of the value as it is shown.
        shown: what the value is multiplied with to be shown in that unit.
        places: decimal places shown.
    """

    resource: str
    subject: str
    unit: str
    shown: float = 1.0
    places: int = 0


QUANTITIES = {
    # Measured, and the same whatever the tier: the published table's.
    "foreign_load": Quantity("cpu", "foreign CPU load", "%", 100.0),
    "available_memory": Quantity("memory", "available memory", "MiB"),
    "thermal_distance": Quantity("temperature", "distance to the thermal limit", "°C", 1.0, 1),
    "charge": Quantity("battery", "battery charge", "%", 100.0),
    # Measured in the running tier: it counts for that one, and for those above it.
    "late_windows": Quantity("cpu", "the share of windows that begin late", "%", 100.0),
    # Foreseen for a tier, from its profile.
    "load_with": Quantity("cpu", "CPU load with {tier}", "%", 100.0),
    "latency_with": Quantity("cpu", "a window's time in {tier}", "ms", 1.0, 1),
    "memory_with": Quantity("memory", "memory left beside {tier}", "MiB"),
    "critical_distance_with": Quantity(
        "temperature", "distance to where the board powers off, with {tier}", "°C", 1.0, 1
    ),
    "runtime_with": Quantity("battery", "battery runtime with {tier}", "h", 1 / 3600, 1),
}
"""Every quantity by its name in the journal. Values are in fractions, MiB, °C, ms and s."""


class Margin(Struct, frozen=True):
    """One quantity against what one tier asks of it.

    Attributes:
        tier: the tier that asks.
        quantity: what is measured or foreseen; a key of `QUANTITIES`.
        value: how it stands.
        enter: at this value or a better one, the tier is let in.
        leave: at this value or a worse one, the tier is driven out.
    """

    tier: Tier
    quantity: str
    value: float
    enter: float
    leave: float

    @property
    def score(self) -> float:
        """0 or less drives the tier out, 1 or more lets it in; linear in the value."""
        return (self.value - self.leave) / (self.enter - self.leave)

    @property
    def resource(self) -> str:
        """What the quantity belongs to."""
        return QUANTITIES[self.quantity].resource

    def says(self) -> str:
        """Return how the quantity stands, in words."""
        subject = QUANTITIES[self.quantity].subject.format(tier=self.tier)
        return f"{subject} is {self.shown(self.value)}"

    def shown(self, value: float) -> str:
        """Return a value of this quantity as people read it."""
        _, _, unit, factor, places = QUANTITIES[self.quantity]
        return f"{value * factor:.{places}f} {unit}"

    def wants(self) -> str:
        """Return what must become true for the tier to be let in."""
        bound = "at most" if self.enter < self.leave else "at least"
        return f"{self.says()} and must be {bound} {self.shown(self.enter)} for {self.tier}"


class Margins(dict[Tier, list[Margin]]):
    """The margins of each tier, worked out when they are first asked for: most never are.

    Args:
        of: works out a tier's; [] for `critical`.
    """

    def __init__(self, of: Callable[[Tier], list[Margin]]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, tier: Tier) -> list[Margin]:
        found = self[tier] = self._of(tier)
        return found
