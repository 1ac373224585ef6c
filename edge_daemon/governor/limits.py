"""When a tier may run: the published table, with its gaps as hysteresis.

The published table names a range for each tier (CPU 20 to 30 % for `high`, 50 to 60 % for
`medium`, 70 to 80 % for `low`, 90 % and more for `critical`; free memory 120 to 150, 60 to 80, 20
to 40 and less than 20 MB). The gap between two ranges is where neither answer is wrong: a tier is
entered at the good end of the gap and left at the bad end, so that a value inside it changes
nothing. Temperature and battery are not in the table; their values here are our own.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from edge_daemon.tier import TIERS

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Mib = Annotated[float, Meta(ge=0.0, le=1_048_576.0)]
Degrees = Annotated[float, Meta(ge=0.0, le=100.0)]
LimitC = Annotated[float, Meta(ge=30.0, le=130.0)]
Signal = Literal["cpu", "memory", "temperature", "battery", "throttle"]
Seconds = Annotated[float, Meta(ge=0.0, le=86_400.0)]


class Band(NamedTuple):
    """Where one resource lets a tier in, and where it drives it out.

    Attributes:
        enter: the tier is entered from below at this value or a better one.
        leave: it is left at this value or a worse one.
    """

    enter: float
    leave: float


Bands = tuple[Band, Band, Band]
"""The bands of `low`, `medium` and `high`; `critical` may always run."""


@lru_cache(maxsize=64)
def _bands(
    low_enter: float,
    low_leave: float,
    medium_enter: float,
    medium_leave: float,
    high_enter: float,
    high_leave: float,
) -> Bands:
    # Asked for in every poll.
    return (
        Band(low_enter, low_leave),
        Band(medium_enter, medium_leave),
        Band(high_enter, high_leave),
    )


class CpuLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """Foreign load, the share of the usable cores that other processes keep busy; late windows.

    Attributes:
        high_enter: at or below this load, `high` may begin.
        high_leave: at or above this load, `high` ends.
        medium_enter: at or below this load, `medium` may begin.
        medium_leave: at or above this load, `medium` ends.
        low_enter: at or below this load, `low` may begin.
        low_leave: at or above this load, `low` ends.
        late_enter: no tier begins while more than this share of the windows begin late: a period
            or more after their time, or never.
        late_leave: at or above this share, the tier ends whose windows they are.
    """

    high_enter: Share = 0.30
    high_leave: Share = 0.50
    medium_enter: Share = 0.60
    medium_leave: Share = 0.70
    low_enter: Share = 0.80
    low_leave: Share = 0.90
    late_enter: Share = 0.10
    late_leave: Share = 0.40

    @property
    def bands(self) -> Bands:
        """The same, tier by tier."""
        return _bands(
            self.low_enter,
            self.low_leave,
            self.medium_enter,
            self.medium_leave,
            self.high_enter,
            self.high_leave,
        )


class MemoryLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """Available memory. The table has no gap below `low`: that from 20 to 30 MiB is ours.

    Attributes:
        high_enter_mib: with this much or more, `high` may begin.
        high_leave_mib: with this much or less, `high` ends.
        medium_enter_mib: with this much or more, `medium` may begin.
        medium_leave_mib: with this much or less, `medium` ends.
        low_enter_mib: with this much or more, `low` may begin.
        low_leave_mib: with this much or less, `low` ends.
        reserve_mib: with less than this, the daemon goes to `critical` at once.
        stalled: share of the time in which everything waits for memory (PSI) above which it goes
            to `critical` at once.
    """

    high_enter_mib: Mib = 120.0
    high_leave_mib: Mib = 80.0
    medium_enter_mib: Mib = 60.0
    medium_leave_mib: Mib = 40.0
    low_enter_mib: Mib = 30.0
    low_leave_mib: Mib = 20.0
    reserve_mib: Mib = 16.0
    stalled: Annotated[float, Meta(ge=0.01, le=1.0)] = 0.10

    @property
    def bands(self) -> Bands:
        """The same, tier by tier."""
        return _bands(
            self.low_enter_mib,
            self.low_leave_mib,
            self.medium_enter_mib,
            self.medium_leave_mib,
            self.high_enter_mib,
            self.high_leave_mib,
        )


class TemperatureLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """How far below its limit the board's worst thermal zone must stay.

    Attributes:
        high_enter_c: this far below the limit or farther, `high` may begin.
        high_leave_c: this far below the limit or nearer, `high` ends.
        medium_enter_c: this far below the limit or farther, `medium` may begin.
        medium_leave_c: this far below the limit or nearer, `medium` ends.
        low_enter_c: this far below the limit or farther, `low` may begin.
        low_leave_c: this far below the limit or nearer, `low` ends.
        critical_margin_c: nearer than this to the critical trip point, where the board powers
            off, the daemon goes to `critical` at once.
        limit_c: the limit itself, in place of the passive trip point or what is known of the
            board's firmware; null takes those.
        ignored_zones: types of zones to leave out, such as a sensor that is known to be broken.
    """

    high_enter_c: Degrees = 14.0
    high_leave_c: Degrees = 10.0
    medium_enter_c: Degrees = 10.0
    medium_leave_c: Degrees = 6.0
    low_enter_c: Degrees = 6.0
    low_leave_c: Degrees = 3.0
    critical_margin_c: Degrees = 5.0
    limit_c: LimitC | None = None
    ignored_zones: tuple[str, ...] = ()

    @property
    def bands(self) -> Bands:
        """The same, tier by tier."""
        return _bands(
            self.low_enter_c,
            self.low_leave_c,
            self.medium_enter_c,
            self.medium_leave_c,
            self.high_enter_c,
            self.high_leave_c,
        )


class BatteryLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """Charge left, as a fraction; it counts only off the mains.

    Attributes:
        runtime_s: how long the charge should last from the moment the mains are gone. Takes the
            place of the bands where the board measures its power and a profile that of each tier;
            null: the bands.
        high_enter: with this charge or more, `high` may begin.
        high_leave: with this charge or less, `high` ends.
        medium_enter: with this charge or more, `medium` may begin.
        medium_leave: with this charge or less, `medium` ends.
        low_enter: with this charge or more, `low` may begin.
        low_leave: with this charge or less, `low` ends.
    """

    high_enter: Share = 0.50
    high_leave: Share = 0.40
    medium_enter: Share = 0.30
    medium_leave: Share = 0.20
    low_enter: Share = 0.15
    low_leave: Share = 0.10
    runtime_s: Annotated[float, Meta(ge=60.0, le=8_640_000.0)] | None = None

    @property
    def bands(self) -> Bands:
        """The same, tier by tier."""
        return _bands(
            self.low_enter,
            self.low_leave,
            self.medium_enter,
            self.medium_leave,
            self.high_enter,
            self.high_leave,
        )


class ForeseenLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What counts in place of the bands of `cpu`, `memory` and `temperature` once measured here.

    `late_*`, `reserve_mib`, `stalled`, `critical_margin_c` and `limit_c` still hold.

    Attributes:
        deadline_ms: what a window may take; null is the window period.
        enter_share: a tier begins where its windows are foreseen to take at most this share of the
            deadline, and ends where they are foreseen to miss it.
        quantile_z: which windows are meant: standard deviations above the mean, 1.2 being eight in
            nine, 1.64 all but one in twenty.
        caution_z: standard deviations of load and memory that are taken off before anything is
            foreseen.
        full_load: load of all programs, this one included, as a share of the usable cores, at
            which a tier ends whatever its windows take; above 1 because what waits counts too.
        memory_margin_mib: how much more than the reserve must be left beside a tier that begins.
        horizon_s: how far ahead heat is foreseen.
    """

    deadline_ms: Annotated[float, Meta(ge=1.0, le=600_000.0)] | None = None
    enter_share: Annotated[float, Meta(ge=0.1, le=0.99)] = 0.95
    quantile_z: Annotated[float, Meta(ge=0.0, le=5.0)] = 1.2
    caution_z: Annotated[float, Meta(ge=0.0, le=5.0)] = 1.0
    full_load: Annotated[float, Meta(ge=0.5, le=4.0)] = 1.35
    memory_margin_mib: Annotated[float, Meta(ge=1.0, le=1_048_576.0)] = 16.0
    horizon_s: Annotated[float, Meta(ge=1.0, le=3600.0)] = 60.0


class Priorities(Struct, frozen=True, forbid_unknown_fields=True):
    """What a gain in accuracy is worth by where it comes from; `critical` is never given up.

    Attributes:
        picture: the full picture in place of the small one. With 0, `low` is as good as nothing.
        sound: listening as well. With 0, the daemon goes no higher than `low`.
    """

    picture: Annotated[float, Meta(ge=0.0, le=100.0)] = 1.0
    sound: Annotated[float, Meta(ge=0.0, le=100.0)] = 1.0


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """When a tier may run.

    Attributes:
        poll_min_s: time between two readings near a limit.
        poll_max_s: time between two readings with room on all sides; the same as `poll_min_s`
            makes it constant.
        down_polls: readings in a row that must ask for a lower tier before the daemon moves down;
            a hard limit moves it at once.
        up_after_s: how long the next higher tier must have been allowed without a break before
            the daemon moves up, one tier at a time; longer where a measured swap costs more than
            the higher tier brings in that time.
        failed_within_s: a move down this soon after a move up means that the move up failed;
            each failure doubles the wait.
        up_after_max_s: what the doubling ends at.
        forget_s: a failure is forgotten after each of these that passes without another one.
        ups_per_hour: moves up in the long run. Three may follow on each other without counting.
        lost_s: a signal that the board has and that could not be read for this long is taken for
            bad news: no tier above `low`.
        ignored: signals to do without, as if the board did not have them, such as the battery
            where its gauge is broken: [battery].
        cpu: foreign load.
        memory: available memory.
        temperature: distance to the thermal limit.
        battery: charge left.
        foreseen: what counts once the tiers' costs were measured.
        priorities: what the parts of the input are worth.
    """

    poll_min_s: Annotated[float, Meta(ge=0.1, le=60.0)] = 0.5
    poll_max_s: Annotated[float, Meta(ge=0.1, le=60.0)] = 2.0
    down_polls: Annotated[int, Meta(ge=1, le=60)] = 2
    up_after_s: Seconds = 10.0
    failed_within_s: Seconds = 60.0
    up_after_max_s: Seconds = 600.0
    forget_s: Annotated[float, Meta(ge=1.0, le=86_400.0)] = 600.0
    ups_per_hour: Annotated[float, Meta(ge=0.1, le=3600.0)] = 8.0
    lost_s: Annotated[float, Meta(ge=5.0, le=86_400.0)] = 30.0
    ignored: tuple[Signal, ...] = ()
    cpu: CpuLimits = CpuLimits()
    memory: MemoryLimits = MemoryLimits()
    temperature: TemperatureLimits = TemperatureLimits()
    battery: BatteryLimits = BatteryLimits()
    foreseen: ForeseenLimits = ForeseenLimits()
    priorities: Priorities = Priorities()


def disorder(limits: Limits) -> Iterator[tuple[str, str]]:
    """Yield what is wrong between values that are right by themselves.

    Yields:
        The key below the limits' section (`cpu.high_enter`) and what to do about it.
    """
    memory = limits.memory
    yield from _disorder("cpu", limits.cpu.bands, "", -1)
    yield from _disorder("memory", memory.bands, "_mib", 1)
    yield from _disorder("temperature", limits.temperature.bands, "_c", 1)
    yield from _disorder("battery", limits.battery.bands, "", 1)
    if memory.reserve_mib > memory.low_leave_mib:
        yield (
            "memory.reserve_mib",
            f"must be at most memory.low_leave_mib ({memory.low_leave_mib:g}): "
            f"{memory.reserve_mib:g} would drive out a tier that was just let in",
        )
    if limits.cpu.late_enter >= limits.cpu.late_leave:
        yield (
            "cpu.late_enter",
            f"must lie below cpu.late_leave ({limits.cpu.late_leave:g}), or a tier would be "
            f"entered and left at the same value, not {limits.cpu.late_enter:g}",
        )
    if limits.poll_max_s < limits.poll_min_s:
        yield "poll_max_s", f"must be at least poll_min_s ({limits.poll_min_s:g})"
    if limits.up_after_max_s < limits.up_after_s:
        yield "up_after_max_s", f"must be at least up_after_s ({limits.up_after_s:g})"


def _disorder(resource: str, bands: Bands, unit: str, better: int) -> Iterator[tuple[str, str]]:
    """Yield bands that would flap, and tiers that ask for less than the tier below them."""
    word, opposite = ("above", "less") if better > 0 else ("below", "more")
    for tier, band in zip(TIERS[1:], bands, strict=True):
        if better * (band.enter - band.leave) <= 0:
            yield (
                f"{resource}.{tier}_enter{unit}",
                f"must lie {word} {resource}.{tier}_leave{unit} ({band.leave:g}), or {tier} "
                f"would be entered and left at the same value, not {band.enter:g}",
            )
    for rank, (lower, upper) in enumerate(pairwise(bands), start=1):
        for edge, below, above in (
            ("enter", lower.enter, upper.enter),
            ("leave", lower.leave, upper.leave),
        ):
            if better * (above - below) < 0:
                yield (
                    f"{resource}.{TIERS[rank + 1]}_{edge}{unit}",
                    f"must not be {opposite} than "
                    f"{resource}.{TIERS[rank]}_{edge}{unit} ({below:g}): a higher tier needs "
                    f"more room, not {above:g}",
                )
