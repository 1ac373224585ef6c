"""What the readings so far amount to: filtered signals, and what was learnt of the board."""

import math

from msgspec import Struct

from edge_daemon.governor import heat, level, slowdown
from edge_daemon.governor.firmware import FREQUENCY_CAPPED, THROTTLED
from edge_daemon.governor.heat import Heat, HeatPrior
from edge_daemon.governor.level import Level, Pace
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.slowdown import Slowdown, SlowdownNoise, expected_cycle_ms, own_share

_SHORTEST_S = 1e-3
_COLDEST_C, _HOTTEST_C = -60.0, 250.0
_MOST_MIB, _MOST_W = 1e9, 1e5


class Filters(Struct, frozen=True):
    """How fast what is believed: bad news fast, good news slowly.

    Attributes:
        load: of foreign load.
        memory: of available memory.
        temperature: the newest is all that counts; nothing forecasts a quiet minute better.
        power: as slow as the mean that `Reading.runtime_s` goes by.
        slowdown: of the windows' times.
        heat: of what work adds to the temperature.
    """

    load: Pace = Pace(rise=0.7, fall=0.15, sigma=0.05, sigma_least=0.01, confirm_s=1.75)
    memory: Pace = Pace(rise=0.1, fall=0.7, sigma=4.0, sigma_least=1.0)
    temperature: Pace = Pace(rise=1.0, fall=1.0, sigma=0.5, sigma_least=0.05)
    power: Pace = Pace(rise=0.0165, fall=0.0165, sigma=0.5, sigma_least=0.05)
    slowdown: SlowdownNoise = slowdown.NOISE
    heat: HeatPrior = heat.PRIOR


FILTERS = Filters()


class Estimate(Struct, frozen=True):
    """What is believed of the board.

    Attributes:
        foreign: foreign load, 0 to 1.
        available: available memory in MiB.
        warmth: temperature of the worst zone in °C.
        zone: which one that is.
        discharge: power that the batteries give, in W.
        slowdown: measured over expected time of a window.
        heat: what work adds to the temperature.
    """

    foreign: Level = level.begin(None, FILTERS.load)
    available: Level = level.begin(None, FILTERS.memory)
    warmth: Level = level.begin(None, FILTERS.temperature)
    zone: str | None = None
    discharge: Level = level.begin(None, FILTERS.power)
    slowdown: Slowdown = Slowdown()
    heat: Heat = Heat()

    @property
    def load(self) -> float | None:
        """Foreign load, 0 to 1; None where it is not known."""
        return self.foreign.value

    @property
    def load_sigma(self) -> float:
        """Standard deviation of a reading of the load around it."""
        return self.foreign.sigma

    @property
    def load_rate_s(self) -> float:
        """Slope of the load, 1/s."""
        return self.foreign.rate

    @property
    def memory_mib(self) -> float | None:
        """Available memory; None where it is not known."""
        return self.available.value

    @property
    def memory_sigma_mib(self) -> float:
        """Standard deviation of a reading of the memory around it."""
        return self.available.sigma

    @property
    def memory_rate_mib_s(self) -> float:
        """Slope of the memory."""
        return self.available.rate

    @property
    def temperature_rate_c_s(self) -> float:
        """Slope of the temperature; 0 where it is not known."""
        return self.warmth.rate

    @property
    def power_w(self) -> float | None:
        """Mean of about the last minute on the batteries; None where nothing measures it."""
        return self.discharge.value


def observe(
    before: Estimate,
    reading: Reading,
    span_s: float | None,
    profile: Profile,
    filters: Filters = FILTERS,
) -> Estimate:
    """Return the estimate after a reading. Never raises, whatever the reading says.

    Args:
        before: the estimate so far.
        reading: what the probes saw.
        span_s: seconds since the reading before; None for the first one and after a stretch that
            nobody watched: what belongs to the span is discarded, the signals begin anew, and what
            was learnt of the board is kept.
        profile: what the tiers cost.
        filters: how fast what is believed.
    """
    load = _bounded(reading.cpu_foreign, 1.0)
    memory_mib = _bounded(reading.memory_available_mib, _MOST_MIB)
    power_w = _bounded(reading.power_w, _MOST_W)
    temperature_c = reading.temperature_c
    if temperature_c is not None and not _COLDEST_C <= temperature_c <= _HOTTEST_C:
        temperature_c = None
    zone = before.zone if temperature_c is None else reading.temperature_zone
    clock = clock_share(reading, profile)
    drive = None
    if load is not None and (own := _bounded(reading.cpu_own, 1.0)) is not None:
        drive = min(1.0, load + own) * clock
    model = before.heat
    if model.prior is not filters.heat and model.prior != filters.heat:
        model = heat.begin(filters.heat)
    if span_s is None or not 0.0 < span_s < math.inf:
        return Estimate(
            level.begin(load, filters.load),
            level.begin(memory_mib, filters.memory),
            level.begin(temperature_c, filters.temperature),
            zone,
            level.begin(power_w, filters.power),
            slowdown.observe(before.slowdown, None, 0, 0.0, filters.slowdown),
            heat.resume(model, drive, temperature_c),
        )
    span_s = max(_SHORTEST_S, span_s)
    if zone == before.zone:
        warmth = level.follow(before.warmth, temperature_c, span_s, filters.temperature)
        model = heat.observe(model, drive, temperature_c, span_s)
    else:
        warmth = level.begin(temperature_c, filters.temperature)
        model = heat.move(heat.observe(model, drive, None, span_s), temperature_c)
    return Estimate(
        level.follow(before.foreign, load, span_s, filters.load),
        level.follow(before.available, memory_mib, span_s, filters.memory),
        warmth,
        zone,
        level.follow(before.discharge, power_w, span_s, filters.power),
        slowdown.observe(
            before.slowdown,
            _ratio(reading, before.load if load is None else load, clock, profile),
            reading.cycles,
            span_s,
            filters.slowdown,
        ),
        model,
    )


def clock_share(reading: Reading, profile: Profile) -> float:
    """Return the clock that the firmware leaves now, as a share of the full one."""
    flags = reading.throttled
    return profile.slowed if THROTTLED in flags or FREQUENCY_CAPPED in flags else 1.0


def _ratio(
    reading: Reading, load: float | None, clock_share: float, profile: Profile
) -> float | None:
    """Return measured over expected time of the windows since the last reading, if it is known."""
    tier, cycle_ms = reading.cycle_tier, reading.cycle_ms
    if tier is None or cycle_ms is None or load is None:
        return None
    own = own_share(profile, tier, reading.cores)
    return cycle_ms / expected_cycle_ms(profile, tier, load * clock_share, own, clock_share)


def _bounded(value: float | None, most: float) -> float | None:
    """Return the value within 0 and `most`; None for what is no number."""
    if value is None or not math.isfinite(value):
        return None
    return min(most, max(0.0, value))
