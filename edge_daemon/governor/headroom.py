"""How much room each resource leaves: the vector R, from the governor's own limits.

0 is where `critical` is all that is left, 1 is where `high` may be entered. Between them each
resource rises in straight lines through the values at which `low`, `medium` and `high` are left, so
that the same third means the same tier for every resource, and the scarcest one names the tier:

    room of    critical   low        medium       high
    R          0          0 to 1/3   1/3 to 2/3   2/3 to 1
    value      .. low.leave .. medium.leave .. high.leave .. high.enter ..

Training conditions its losses on the same vector (`tools/resource`).
"""

import math

from msgspec import Struct

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.pressure import Pressure, alarms, pressures, unknown
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier

_PLACES = 10_000


class Headroom(Struct, frozen=True):
    """What each resource leaves, 0 to 1; the least of the four says the tier.

    Attributes:
        cpu: of the cores, beside what other processes keep busy.
        memory: of the memory that can be taken.
        energy: of the charge; 1 on the mains and without a battery.
        thermal: of the distance to the thermal limit.
    """

    cpu: float
    memory: float
    energy: float
    thermal: float

    @property
    def least(self) -> float:
        """The room that the scarcest resource leaves."""
        return min(self.cpu, self.memory, self.energy, self.thermal)

    @property
    def tier(self) -> Tier:
        """The highest tier that no resource drives out."""
        return tier_for(self)

    def rounded(self) -> "Headroom":
        """Return the same to four places, downwards: none rises into a higher tier's room."""
        return Headroom(
            _down(self.cpu), _down(self.memory), _down(self.energy), _down(self.thermal)
        )


def headroom(reading: Reading, limits: Limits) -> Headroom:
    """Return the room that a reading leaves. Never raises, whatever the reading says.

    A signal that the board does not have leaves all room. One that it has and whose value is not
    known leaves a third, the top of what `low` needs: the policy does not begin higher either. A
    hard limit that is broken leaves none, and under-voltage counts as one of energy. That the
    firmware slows the board is no quantity, and not in here.

    This is how things stand now. The policy adds what time adds: it enters a tier at better values
    than it leaves it at, and waits.

    Args:
        reading: what the probes saw.
        limits: the governor's.
    """
    room_left = {pressure.resource: _room_left(pressure) for pressure in pressures(reading, limits)}
    for name in unknown(reading, limits):
        room_left[name] = room(Tier.LOW)[1]
    if reading.on_mains is True:
        room_left["battery"] = 1.0
    for broken in alarms(reading, limits):
        room_left["battery" if broken.resource == "power" else broken.resource] = 0.0
    return Headroom(
        cpu=room_left.get("cpu", 1.0),
        memory=room_left.get("memory", 1.0),
        energy=room_left.get("battery", 1.0),
        thermal=room_left.get("temperature", 1.0),
    )


def tier_for(headroom: Headroom) -> Tier:
    """Return the tier in whose room the scarcest resource is."""
    for tier in reversed(TIERS[1:]):
        if headroom.least > room(tier)[0]:
            return tier
    return Tier.CRITICAL


def room(tier: Tier) -> tuple[float, float]:
    """Return the interval of a tier, its lower end excluded; (0, 0) for `critical`."""
    return max(0, tier.rank - 1) / 3, tier.rank / 3


def _room_left(pressure: Pressure) -> float:
    """Return one resource's room: the same comparisons as `Pressure.bearable`, then a line."""
    for tier in reversed(TIERS[1:]):
        leave = pressure.bands[tier.rank - 1].leave
        past = pressure.better * (pressure.value - leave)
        if past > 0:
            best = pressure.bands[2].enter if tier is Tier.HIGH else pressure.bands[tier.rank].leave
            width = pressure.better * (best - leave)
            share = past / width if width > 0 else 1.0
            low, high = room(tier)
            # Rounding must not put a value that is just past an edge onto it.
            return min(high, max(math.nextafter(low, 1.0), low + (high - low) * share))
    return 0.0


def _down(value: float) -> float:
    # Rounded first to what floats can tell, or 0.3 could become 0.2999.
    return math.floor(round(value * _PLACES, 6)) / _PLACES
